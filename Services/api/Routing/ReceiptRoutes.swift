import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// Receipts, and what checks them.
    static let receiptRoutes: [Route] = [
        Route(
            .get, "/api/debates/{id}/receipt", .permission(.receiptsRead), "The debate's receipt.",
            answers: .json(.receipt), refuses: [.receiptNotFound]
        ) { $0.receipts.ofDebate },
        Route(
            .get, "/api/receipts", .permission(.receiptsRead), "Receipts, newest first.",
            items: [
                .limit(ReceiptFilter.limitRange, standard: 20), .offset,
                .query("debate_id", .debateID, "Only this debate's."),
                .query("verdict", .verdict, "Only with this verdict."),
                .query("risk_level", .text(0...16), "Only of this level."),
                .query("date_from", .time, "At or after this time."), .query("date_to", .time, "Before this time."),
                .query("signed_only", .text, "`true` leaves unsigned ones out."),
            ], answers: .json(.receiptPage)
        ) { $0.receipts.list },
        Route(
            .get, "/api/receipts/{receipt}", .permission(.receiptsRead), "One receipt, as it was signed.",
            answers: .json(.receipt)
        ) { $0.receipts.get },
        Route(
            .post, "/api/receipts/{receipt}/verify", .permission(.receiptsRead), "Computes the checksum again.",
            cost: .search, answers: .json(.receiptIntegrity)
        ) { $0.receipts.verify },
        Route(
            .post, "/api/receipts/{receipt}/verify-signature", .permission(.receiptsRead),
            "Checks the signature with the current and the previous keys.", cost: .read,
            answers: .json(.receiptSignature)
        ) { $0.receipts.verifySignature },
    ]
}

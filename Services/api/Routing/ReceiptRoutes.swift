import Domain
import HTTP

extension Routes {
    /// Receipts, and what checks them.
    static let receiptRoutes: [Route] = [
        Route(.get, "/api/debates/{id}/receipt", .permission(.receiptsRead), "The debate's receipt.") {
            $0.receipts.ofDebate
        },
        Route(.get, "/api/receipts", .permission(.receiptsRead), "Receipts, newest first.") { $0.receipts.list },
        Route(.get, "/api/receipts/{receipt}", .permission(.receiptsRead), "One receipt, as it was signed.") {
            $0.receipts.get
        },
        Route(.post, "/api/receipts/{receipt}/verify", .permission(.receiptsRead), "Computes the checksum again.") {
            $0.receipts.verify
        },
        Route(
            .post, "/api/receipts/{receipt}/verify-signature", .permission(.receiptsRead),
            "Checks the signature with the current and the previous keys."
        ) { $0.receipts.verifySignature },
    ]
}

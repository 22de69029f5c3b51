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
                .time("date_from", "At or after this time"), .time("date_to", "Before this time"),
                .query("signed_only", .text, "`true` leaves unsigned ones out."),
            ], answers: .json(.receiptPage)
        ) { $0.receipts.list },
        Route(
            .get, "/api/receipts/search", .permission(.receiptsRead),
            "Receipts whose question has all these words; without any, all.",
            cost: .search,
            items: [
                .limit(ReceiptFilter.limitRange, standard: 20), .offset,
                .text("q", maximum: ReceiptsHandler.maxSearch, "The words."),
                .text("query", maximum: ReceiptsHandler.maxSearch, "The same."),
            ], answers: .json(.receiptPage)
        ) { $0.receipts.search },
        Route(
            .get, "/api/receipts/stats", .permission(.receiptsRead), "How many receipts there are, of which kinds.",
            cost: .search, answers: .json(.receiptStatistics)
        ) { $0.receipts.statistics },
        Route(
            .post, "/api/receipts/verify-batch", .permission(.receiptsRead),
            "Checks checksum and signatures of up to 100 receipts.", cost: .search, bodyBytes: 64 * 1024,
            takes: .init(.receiptBatch), answers: .json(.receiptBatchAnswer)
        ) { $0.receipts.verifyBatch },
        Route(
            .post, "/api/receipts/batch-export", .permission(.exportRead), "Up to 100 receipts in one answer.",
            cost: .bulk, bodyBytes: 64 * 1024, takes: .init(.receiptExport), answers: .json(.receiptsExported)
        ) { $0.receipts.exportBatch },
        Route(
            .get, "/api/receipts/share/{token}", .open, "The receipt that a link shows.", cost: .credential,
            answers: .json(.receipt), refuses: [.receiptNotFound]
        ) { $0.receipts.shared },
        Route(
            .get, "/api/receipts/{receipt}", .permission(.receiptsRead), "One receipt, as it was signed.",
            answers: .json(.receipt)
        ) { $0.receipts.get },
        Route(
            .get, "/api/receipts/{receipt}/export", .permission(.receiptsRead),
            "The receipt as `json`, `html`, `md`, `csv` or `pdf`.",
            items: [
                .query(
                    "format", .word(ReceiptExport.Format.allCases.map(\.rawValue) + ["markdown"]),
                    "Which form; `json` unless told.")
            ],
            answers: .json(.receipt) + .other("text/html") + .other("text/markdown") + .other("text/csv")
                + .other("application/pdf")
        ) { $0.receipts.export },
        Route(
            .get, "/api/receipts/{receipt}/bundle", .permission(.receiptsRead),
            "The receipt with its events and its place in the receipt log: what `aragora receipt verify` takes.",
            cost: .search,
            items: [
                .query("redacted", .text, "`true` leaves out what people and models said."),
                .query("events", .text, "`all`, or the numbers of some, with commas."),
                .query("since", .count, "Size of a tree seen before: proves that this one continues it."),
            ], answers: .json(.receiptBundle), refuses: [.eventsExpired]
        ) { $0.receipts.bundle },
        Route(
            .post, "/api/receipts/{receipt}/share", .permission(.receiptsRead),
            "Makes a link by which anybody may read the receipt for a while.", bodyBytes: 4096,
            takes: .init(.receiptShare, isRequired: false), answers: .json(.receiptShared)
        ) { $0.receipts.share },
        Route(
            .post, "/api/receipts/{receipt}/legal-hold", .permission(.auditManage),
            "Keeps the receipt from retention and erasure, or lifts that.", bodyBytes: 16 * 1024,
            takes: .init(.receiptHold, isRequired: false), answers: .json(.receiptHeld)
        ) { $0.receipts.hold },
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

import Contracts
import Domain
import HTTP
import Storage

extension Routes {
    /// The receipt log and the public keys: open, and nothing but hashes.
    static let receiptLogRoutes: [Route] = [
        Route(
            .get, "/api/receipts/signing-key", .open,
            "The public keys that check receipts and heads, current and previous.",
            answers: .json(.signingKeys)
        ) { $0.receiptLog.signingKey },
        Route(
            .get, "/.well-known/aragora-odr-signing-key", .open, "The public key in force, as PEM.",
            answers: .other("application/x-pem-file"), refuses: [.notFound]
        ) { $0.receiptLog.wellKnownKey },
        Route(
            .get, "/api/receipt-log/head", .open, "The newest signed head of the receipt log.",
            answers: .json(.treeHead),
            refuses: [.notFound]
        ) { $0.receiptLog.head },
        Route(
            .get, "/api/receipt-log/inclusion", .open, "Proves that a receipt is in the log, under its newest head.",
            items: [.query("receipt_id", .receiptID, "Which.", isRequired: true)],
            answers: .json(.inclusionProof), refuses: [.receiptNotFound, .notFound]
        ) { $0.receiptLog.inclusion },
        Route(
            .get, "/api/receipt-log/consistency", .open,
            "Proves that the tree of `second` leaves begins with that of `first`.",
            items: [
                .query("first", .count, "The smaller tree.", isRequired: true),
                .query("second", .count, "The larger one; the newest head's unless told."),
            ], answers: .json(.consistencyProof), refuses: [.notFound, .badRequest]
        ) { $0.receiptLog.consistency },
        Route(
            .get, "/api/receipt-log/entries", .open, "The leaves of the log, as they are hashed.",
            items: [
                .query("start", .count, "The first number; 0 unless told."),
                .limit(ReceiptLogReader.entryLimit, standard: 100),
            ], answers: .json(.logEntries)
        ) { $0.receiptLog.entries },
    ]
}

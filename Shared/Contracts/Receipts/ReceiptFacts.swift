package import Domain

/// What a receipt states; the hashes are made by Ledger.
package struct ReceiptFacts: Sendable {
    /// So much of the question is repeated in the receipt.
    package static let summaryCharacters = 200

    package let receiptID: ReceiptID
    package let debateID: DebateID
    package let outcome: DebateOutcome
    /// Of the event that names the receipt.
    package let at: Timestamp
    /// The last event it covers, the one before `receipt_generated`.
    package let head: LogTail
    /// Root of the Merkle tree (RFC 6962) whose leaves are the hashes of the events up to `head`: proves a single event.
    package let eventsRoot: [UInt8]
    /// SHA-256 over the hashes of all events up to `head` in which somebody says something, in order.
    package let transcriptHash: [UInt8]
    /// SHA-256 of the question.
    package let inputHash: [UInt8]
    /// SHA-256 of the final answer, when there is one.
    package let finalAnswerHash: [UInt8]?
    /// The checksum of a receipt that was in the receipt log when this one was made; nil when none was known to be.
    package let previousChecksum: String?
    /// 16 random bytes, so that the checksum of the whole says nothing about texts that were taken out.
    package let salt: [UInt8]

    package init(
        receiptID: ReceiptID, debateID: DebateID, outcome: DebateOutcome, at: Timestamp, head: LogTail,
        eventsRoot: [UInt8], transcriptHash: [UInt8], inputHash: [UInt8], finalAnswerHash: [UInt8]?,
        previousChecksum: String?, salt: [UInt8]
    ) {
        self.receiptID = receiptID
        self.debateID = debateID
        self.outcome = outcome
        self.at = at
        self.head = head
        self.eventsRoot = eventsRoot
        self.transcriptHash = transcriptHash
        self.inputHash = inputHash
        self.finalAnswerHash = finalAnswerHash
        self.previousChecksum = previousChecksum
        self.salt = salt
    }
}

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
    /// SHA-256 over the hashes of all events up to `head` in which somebody says something, in order.
    package let transcriptHash: [UInt8]
    /// SHA-256 of the question.
    package let inputHash: [UInt8]
    /// SHA-256 of the final answer, when there is one.
    package let finalAnswerHash: [UInt8]?

    package init(
        receiptID: ReceiptID, debateID: DebateID, outcome: DebateOutcome, at: Timestamp, head: LogTail,
        transcriptHash: [UInt8], inputHash: [UInt8], finalAnswerHash: [UInt8]?
    ) {
        self.receiptID = receiptID
        self.debateID = debateID
        self.outcome = outcome
        self.at = at
        self.head = head
        self.transcriptHash = transcriptHash
        self.inputHash = inputHash
        self.finalAnswerHash = finalAnswerHash
    }
}

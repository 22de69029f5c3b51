package import Domain

/// Makes and signs the receipt of a debate that is about to end.
package struct ReceiptIssuer: Sendable {
    /// What a receipt is about: the decision, and the log that it covers.
    package struct Request: Sendable {
        package let debate: DebateID
        package let outcome: DebateOutcome
        /// The event before `receipt_generated`; its hash stands for the whole log so far.
        package let head: LogTail
        /// The hashes of every proposal, critique, revision, vote and remark, in order.
        package let transcript: [[UInt8]]
        package let at: Timestamp
    }

    private let issue: @Sendable (Request) throws -> (receipt: StoredReceipt, summary: ReceiptSummary)

    package init(_ issue: @escaping @Sendable (Request) throws -> (receipt: StoredReceipt, summary: ReceiptSummary)) {
        self.issue = issue
    }

    func callAsFunction(_ request: Request) throws -> (receipt: StoredReceipt, summary: ReceiptSummary) { try issue(request) }
}

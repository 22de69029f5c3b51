package import Domain

/// A batch that is about to be created.
package struct NewBatch: Sendable {
    package let id: BatchID
    package let createdBy: String
    package let organization: String?
    package let createdAt: Timestamp

    package init(id: BatchID, createdBy: String, organization: String?, createdAt: Timestamp) {
        self.id = id
        self.createdBy = createdBy
        self.organization = organization
        self.createdAt = createdAt
    }
}

/// How far a batch is.
package struct BatchSummary: Sendable, Hashable {
    package enum State: String, Sendable, CaseIterable {
        /// None has begun.
        case pending
        case processing
        case completed
        /// All are over; some failed, were cancelled or ran out of time.
        case partial
        /// All are over, and none completed.
        case failed
    }

    package let id: BatchID
    package let createdBy: String
    package let organization: String?
    package let createdAt: Timestamp
    package let total: Int
    package let waiting: Int
    package let succeeded: Int
    /// Failed, cancelled or out of time.
    package let failed: Int
    package let ended: Int

    package var state: State {
        guard ended == total else { return waiting == total ? .pending : .processing }
        return succeeded == 0 ? .failed : failed > 0 ? .partial : .completed
    }
}

/// A batch with its debates.
package struct BatchRecord: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package let index: Int
        package let debate: DebateSummary
    }

    package let summary: BatchSummary
    /// In the order in which they were asked for.
    package let items: [Item]
}

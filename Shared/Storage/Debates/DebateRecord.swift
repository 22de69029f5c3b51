package import Domain

/// A debate in a list.
package struct DebateSummary: Sendable, Hashable {
    package let id: DebateID
    package let slug: String
    package let topic: String
    /// What people call it; nil for its question.
    package let title: String?
    package let tags: [String]
    package let isArchived: Bool
    package let agents: [String]
    package let rounds: Int
    package let consensus: ConsensusMode
    package let status: DebateStatus
    package let usesDemoAgents: Bool
    package let createdAt: Timestamp
    /// The debate it branched off, and how many rounds they share.
    package let parent: DebateID?
    package let branchPoint: Int?
    /// Present once the debate has ended.
    package let result: DebateResult?
}

/// What the end of a debate wrote beside it.
package struct DebateResult: Sendable, Hashable {
    package let completedAt: Timestamp
    package let consensusReached: Bool
    package let confidence: Ratio
    /// Nil when nobody voted.
    package let agreement: Ratio?
    package let winner: String?
    package let roundsUsed: Int
    /// Seconds.
    package let duration: Ratio
    package let reason: String?
    package let cost: MicroUSD
}

/// Everything that is stored of a debate beside its log.
package struct DebateRecord: Sendable, Hashable {
    package let summary: DebateSummary
    package let context: String?
    /// Canonical JSON of the specification.
    package let specDocument: [UInt8]
    /// A JSON object.
    package let metadata: [UInt8]
    package let finalAnswer: String?
    package let createdBy: String
    package let organization: String?
    package let user: String?
    package let timeoutSeconds: Int
    /// When its texts were taken away; nil when they are there.
    package let erasedAt: Timestamp?
    package let tail: LogTail
    package let epoch: Int64
    package let owner: RunnerID?
    /// Differs from that of any other state of the debate and its log, but for what retention takes away.
    package let version: String

    package var id: DebateID { summary.id }
    package var status: DebateStatus { summary.status }
}

/// A debate that has not ended, with how far it is.
package struct ActiveDebate: Sendable, Hashable {
    package let summary: DebateSummary
    /// The newest round that an event names; 0 before the first.
    package let round: Int
}

/// Which debates a list shows; nothing set shows all.
package struct DebateFilter: Sendable {
    package static let limitRange = 1...100

    /// Any of these; empty for all.
    package var statuses: [DebateStatus] = []
    /// Words that topic or context begin with.
    package var text: String?
    /// The name of a participant, or a provider's key.
    package var agent: String?
    /// Created at or after.
    package var since: Timestamp?
    /// Created before.
    package var until: Timestamp?
    package var organization: String?
    /// The member `domain` of its metadata.
    package var domain: String?
    /// One of its tags.
    package var tag: String?
    package var limit = 20
    package var offset = 0
    /// Whose.
    package let reach: Reach

    package init(within reach: Reach) { self.reach = reach }
}

/// Part of a list, and how long the whole of it is.
package struct Page<Item: Sendable>: Sendable {
    package let items: [Item]
    package let total: Int
    package init(items: [Item], total: Int) {
        self.items = items
        self.total = total
    }
}

/// A statement of a debate as users read it: a row of `debate_messages`.
package struct DebateMessage: Sendable, Hashable {
    /// From 0.
    package let index: Int
    package let seq: Int64
    package let round: Int
    package let agent: String?
    package let role: String
    package let phase: String
    /// Nil when erased.
    package let content: String?
    package let at: Timestamp
}

/// What the calls of one agent used and cost.
package struct AgentCosts: Sendable, Hashable {
    package let agent: String
    package let provider: ProviderKey
    /// Attempts, whatever became of them.
    package let calls: Int
    package let failures: Int
    /// Attempts whose fate, and cost, nobody knows.
    package let unknown: Int
    package let usage: Usage
}

/// Where a debate's log stands; what a gateway compares.
package struct NewestEvent: Sendable, Hashable {
    package let debate: DebateID
    package let tail: LogTail
    package let status: DebateStatus
    /// Whose debate it is; nil for one from before there were organizations.
    package let organization: OrganizationID?
    /// The trace of the request that asked for it; empty for none.
    package let traceparent: String
    package init(
        debate: DebateID, tail: LogTail, status: DebateStatus, organization: OrganizationID? = nil,
        traceparent: String = ""
    ) {
        self.traceparent = traceparent
        self.debate = debate
        self.tail = tail
        self.status = status
        self.organization = organization
    }
}

package import Domain

/// Something that is known: what a debate concluded, or what a person wrote down.
package struct KnowledgeItem: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case conclusion
        case fact
    }

    package let id: KnowledgeID
    package let kind: Kind
    /// The debate that concluded it; nil for a fact.
    package let debate: DebateID?
    package let receipt: ReceiptID?
    /// What was asked; empty for a fact.
    package let question: String
    package let content: String
    package let confidence: Ratio
    package let agreement: Ratio?
    package let isDemo: Bool
    package let topics: [String]
    /// Canonical JSON of an object.
    package let metadata: [UInt8]
    package let createdBy: String
    package let createdAt: Timestamp

    package init(
        id: KnowledgeID, kind: Kind, debate: DebateID? = nil, receipt: ReceiptID? = nil, question: String = "",
        content: String, confidence: Ratio, agreement: Ratio? = nil, isDemo: Bool = false, topics: [String] = [],
        metadata: [UInt8] = Array("{}".utf8), createdBy: String, createdAt: Timestamp
    ) {
        self.id = id
        self.kind = kind
        self.debate = debate
        self.receipt = receipt
        self.question = question
        self.content = content
        self.confidence = confidence
        self.agreement = agreement
        self.isDemo = isDemo
        self.topics = topics
        self.metadata = metadata
        self.createdBy = createdBy
        self.createdAt = createdAt
    }
}

/// Which items a list shows; nothing set shows all of the organization.
package struct KnowledgeFilter: Sendable {
    package static let limitRange = 1...100

    /// Words that must occur in it, or a topic that it has.
    package var topic: String?
    package var kind: KnowledgeItem.Kind?
    package var minConfidence = Ratio.zero
    package var limit = 20
    package var offset = 0

    package init() {}
}

/// An item and how well it fits what was looked for, 0 to 1.
package struct KnowledgeMatch: Sendable, Hashable {
    package let item: KnowledgeItem
    package let score: Ratio
}

/// How much an organization knows.
package struct KnowledgeCounts: Sendable, Hashable {
    package let conclusions: Int
    package let facts: Int
    /// Mean of all; zero when there is none.
    package let confidence: Ratio
    package let newest: Timestamp?
    package let oldest: Timestamp?
    /// Debates that were shown an earlier conclusion.
    package let recalls: Int
}

package import Domain

/// A debate that is about to be created: what was asked, and event 1.
package struct NewDebate: Sendable {
    package let id: DebateID
    package let slug: String
    package let spec: DebateSpec
    /// Canonical JSON of the specification.
    package let specDocument: [UInt8]
    /// A JSON object, stored and returned.
    package let metadata: [UInt8]
    package let createdAt: Timestamp
    /// The principal that asked.
    package let createdBy: String
    package let organization: String?
    package let user: String?
    package let engineVersion: EngineVersion
    /// Higher goes first; 0 by default.
    package let priority: Int
    /// `debate_start`, epoch 0, after the genesis hash.
    package let start: SealedEvent
    /// `knowledge_recalled`, one for each, after `start`.
    package let recalled: [Recall]
    package let idempotency: IdempotentRequest?
    /// As event 1 names it.
    package let branch: Branch?
    /// Who wants to hear of its end; one for each channel at most.
    package var callbacks: [DebateCallback] = []
    /// The trace of the request that asks, as W3C Trace Context writes it; empty for none.
    package var traceparent = ""

    /// An earlier conclusion that the panel is shown: the item, and the event that shows it.
    package struct Recall: Sendable {
        package let item: KnowledgeID
        package let event: SealedEvent
        package init(item: KnowledgeID, event: SealedEvent) {
            self.item = item
            self.event = event
        }
    }

    package init(
        id: DebateID, slug: String, spec: DebateSpec, specDocument: [UInt8], metadata: [UInt8], createdAt: Timestamp,
        createdBy: String, organization: String? = nil, user: String? = nil, engineVersion: EngineVersion = .current,
        priority: Int = 0, start: SealedEvent, recalled: [Recall] = [], idempotency: IdempotentRequest? = nil,
        branch: Branch? = nil
    ) {
        self.id = id
        self.slug = slug
        self.spec = spec
        self.specDocument = specDocument
        self.metadata = metadata
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.organization = organization
        self.user = user
        self.engineVersion = engineVersion
        self.priority = priority
        self.start = start
        self.recalled = recalled
        self.idempotency = idempotency
        self.branch = branch
    }
}

/// A create that may be sent again: the same key and request of a principal get the first one's answer for a day.
package struct IdempotentRequest: Sendable {
    package let principal: String
    package let key: String
    /// SHA-256 of the request as it is compared.
    package let requestHash: [UInt8]
    /// What the client gets, now and again.
    package let answer: StoredAnswer

    package init(principal: String, key: String, requestHash: [UInt8], answer: StoredAnswer) {
        self.principal = principal
        self.key = key
        self.requestHash = requestHash
        self.answer = answer
    }
}

/// An answer that is kept: only successes are.
package struct StoredAnswer: Sendable, Hashable {
    /// 200 to 299.
    package let status: Int
    package let body: [UInt8]
    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// What became of a create.
package enum CreateOutcome: Sendable, Hashable {
    case created
    /// The same request came before under this key; this is its answer.
    case replayed(StoredAnswer)
    /// The key belongs to another request.
    case conflict
    /// The same key is being used by a request that is not finished after two seconds; try again.
    case busy
    /// Another debate has this slug; make another one.
    case slugTaken
}

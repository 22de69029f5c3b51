/// What a webhook endpoint can be told of: a closed set.
package enum WebhookEvent: String, Sendable, CaseIterable {
    case debateCompleted = "debate.completed"
    case debateFailed = "debate.failed"
    case debateCancelled = "debate.cancelled"
    case debateTimeout = "debate.timeout"
    case receiptCreated = "receipt.created"
    /// Only when somebody asks for it.
    case test = "webhook.test"

    /// What a subscription may name besides: any end of a debate, and everything.
    package static let groups = ["debate_end", "*"]

    /// The end of a debate in this status; nil for one that is none.
    package init?(endedAs status: DebateStatus) { self.init(rawValue: "debate.\(status.rawValue)") }

    /// The subscriptions that it goes to.
    package var subscriptions: [String] {
        switch self {
        case .debateCompleted, .debateFailed, .debateCancelled, .debateTimeout: [rawValue, "debate_end", "*"]
        case .receiptCreated: [rawValue, "*"]
        case .test: []
        }
    }

    /// Whether it says that a debate is over.
    package var isEnd: Bool { self != .receiptCreated && self != .test }

    package var about: String {
        switch self {
        case .debateCompleted: "A debate came to its end; with its decision."
        case .debateFailed: "A debate could not go on."
        case .debateCancelled: "Somebody ended a debate."
        case .debateTimeout: "A debate ran out of time."
        case .receiptCreated: "A debate's receipt was made."
        case .test: "Sent when somebody asks for a test."
        }
    }
}

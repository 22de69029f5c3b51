package import Domain

/// Where somebody wants to be told what happened.
package struct WebhookEndpoint: Sendable, Hashable {
    package let id: WebhookID
    package var url: String
    /// Names of events, and of groups of them.
    package var events: [String]
    package var about: String?
    /// Sealed.
    package var secret: [UInt8]
    /// Sealed.
    package var headers: [UInt8]
    package var isActive: Bool
    package let createdBy: String
    package let createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        id: WebhookID, url: String, events: [String], about: String?, secret: [UInt8], headers: [UInt8],
        isActive: Bool, createdBy: String, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.url = url
        self.events = events
        self.about = about
        self.secret = secret
        self.headers = headers
        self.isActive = isActive
        self.createdBy = createdBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// What its secret is sealed for.
    package static func secretPurpose(_ id: WebhookID) -> String { "webhook secret \(id.text)" }
    /// What its headers are sealed for.
    package static func headersPurpose(_ id: WebhookID) -> String { "webhook headers \(id.text)" }
}

/// One message to one endpoint, and how it stands.
package struct WebhookDelivery: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable { case pending, delivered, dead }

    package let id: Int64
    /// The same for every attempt.
    package let message: String
    /// Nil for one to who asked for the debate.
    package let endpoint: WebhookID?
    /// How it goes out.
    package let channel: CallbackChannel
    package let event: String
    package let debate: String
    package let url: String
    package let body: [UInt8]
    package let attempts: Int
    package let state: State
    package let lastStatus: Int?
    package let failure: String?
    package let createdAt: Timestamp
    package let nextAttempt: Timestamp
    package let endedAt: Timestamp?
}

/// A message that is this process's to send until its lease runs out.
package struct ClaimedDelivery: Sendable {
    /// Who it is for; everything sealed.
    package enum Recipient: Sendable {
        case endpoint(WebhookID, secret: [UInt8], headers: [UInt8])
        /// Who asked for the debate, or for an answer; nil when the debate is gone.
        case callback(address: [UInt8]?)
    }

    package let delivery: WebhookDelivery
    package let recipient: Recipient
}

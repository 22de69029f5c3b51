package import Domain

/// Where the one who asks for a debate is told of its end; at most one for each channel.
package struct DebateCallback: Sendable, Hashable {
    package let channel: CallbackChannel
    /// What people are shown of where it goes.
    package let target: String
    /// Sealed.
    package let address: [UInt8]
    /// What is sent before the end, once the debate is stored: JSON.
    package let opening: [UInt8]?

    package init(channel: CallbackChannel, target: String, address: [UInt8], opening: [UInt8]? = nil) {
        self.channel = channel
        self.target = target
        self.address = address
        self.opening = opening
    }

    /// The event type of an opening, as it stands in the outbox.
    package static let openingType = "debate.started"

    /// What the address of a reply is sealed for.
    package static func purpose(replying message: String) -> String { "reply \(message)" }

    /// What its address is sealed for.
    package static func purpose(_ debate: String, _ channel: CallbackChannel) -> String {
        "callback \(channel.rawValue) \(debate)"
    }
}

/// A hint on the control channel: something a runner would learn anyway, at its next append or renewal, but later.
///
/// JSON `{"v":1,"kind":…,"debate_id":…,"epoch":…}`. Nobody may rely on a hint: it is lost when Redis is away.
package struct ControlHint: Sendable, Equatable {
    /// The version we write and read.
    package static let version: Int64 = 1
    /// The largest hint, in bytes.
    package static let maximumBytes = 1024

    package enum Kind: String, Sendable {
        /// The debate ended (cancel, watchdog, dead letter) under a raised epoch: abort its calls.
        case cancel
        /// A row waits in the debate's commands.
        case commands
        /// Something was revoked: whoever holds the live set looks at it now. Names no debate.
        case revoked
    }

    /// The hint that something was revoked.
    package static let revoked = ControlHint(kind: .revoked, debateID: "", epoch: 0)

    package let kind: Kind
    /// The id of the debate.
    package let debateID: String
    /// The debate's epoch after what happened.
    package let epoch: Int64

    package init(kind: Kind, debateID: String, epoch: Int64) {
        self.kind = kind
        self.debateID = debateID
        self.epoch = epoch
    }

    package var bytes: [UInt8] {
        let object: JSONValue = [
            "v": .int(Self.version), "kind": .string(kind.rawValue), "debate_id": .string(debateID),
            "epoch": .int(epoch),
        ]
        return object.bytes
    }

    /// Reads a hint.
    /// - Throws: ``ContractError``; a reader logs it and goes on.
    package init(decoding bytes: [UInt8]) throws(ContractError) {
        guard let value = try? JSONParser.parse(bytes, maximumBytes: Self.maximumBytes) else {
            throw ContractError(.malformed, "hint of \(bytes.count) bytes")
        }
        guard value["v"]?.int == Self.version else { throw ContractError(.unknownVersion, "hint of another version") }
        guard let kind = value["kind"]?.string.flatMap(Kind.init(rawValue:)) else {
            throw ContractError(.malformed, "hint of unknown kind")
        }
        guard let debateID = value["debate_id"]?.string, let epoch = value["epoch"]?.int, epoch >= 0 else {
            throw ContractError(.malformed, "hint without debate or epoch")
        }
        self.init(kind: kind, debateID: debateID, epoch: epoch)
    }
}

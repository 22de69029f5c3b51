package import Domain

/// What a WebSocket client may say: one JSON object in a text message, told apart by `type`.
package enum ClientMessage: Sendable, Equatable {
    /// Show a debate: what is there from a number on, then what comes.
    case subscribe(Subscription)
    case unsubscribe(DebateID)
    /// The client's own clock, given back in the pong.
    case ping(timestamp: JSONValue)
    /// Known from the original, answered with a list.
    case listDebates
    /// Known from the original or not known at all: answered with a warning. At most 64 characters of the type.
    case unsupported(type: String)

    package struct Subscription: Sendable, Equatable {
        package let debateID: DebateID
        /// The first event to send, from 1; nil when the client did not say.
        package let replayFromSeq: Int64?
        /// The hash of the event before it, 32 bytes, when the client wants to know whether the log is still the same.
        package let afterHash: [UInt8]?
        /// Whether what is there is to come in one message; nil when the client did not say.
        package let snapshot: Bool?

        package init(
            debateID: DebateID, replayFromSeq: Int64? = nil, afterHash: [UInt8]? = nil, snapshot: Bool? = nil
        ) {
            self.debateID = debateID
            self.replayFromSeq = replayFromSeq
            self.afterHash = afterHash
            self.snapshot = snapshot
        }
    }

    /// A message that is refused, with the warning to answer.
    package struct Refusal: Error, Sendable, Equatable {
        package let code: WarningCode
        package let message: String
    }

    /// The largest message, in bytes.
    package static let maximumBytes = 64 * 1024

    /// Reads one text message.
    package static func parse(_ bytes: [UInt8]) throws(Refusal) -> ClientMessage {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, maximumBytes: maximumBytes)
        } catch {
            throw Refusal(code: .invalidJSON, message: "Invalid JSON format: \(error)")
        }
        guard let object = value.object, let type = object["type"]?.string else {
            throw Refusal(code: .invalidMessage, message: "a message is an object with a text `type`")
        }
        switch type {
        case "subscribe": return .subscribe(try subscription(object))
        case "unsubscribe": return .unsubscribe(try debateID(object))
        case "ping": return .ping(timestamp: clock(object))
        case "get_loops", "list_debates": return .listDebates
        default: return .unsupported(type: String(String.UnicodeScalarView(type.unicodeScalars.prefix(64))))
        }
    }

    private static func subscription(_ object: JSONObject) throws(Refusal) -> Subscription {
        let id = try debateID(object)
        var from: Int64?
        if let value = member("replay_from_seq", of: object) {
            guard let seq = value.int, seq >= 0 else {
                throw Refusal(code: .invalidMessage, message: "replay_from_seq must be a whole number from 1")
            }
            from = max(seq, 1)
        } else if let value = member("since_seq", of: object) {
            guard let seq = value.int, seq >= 0, seq < .max else {
                throw Refusal(code: .invalidMessage, message: "since_seq must be a whole number from 0")
            }
            from = seq + 1
        }
        var hash: [UInt8]?
        if let value = member("after_hash", of: object) {
            guard let bytes = value.string.flatMap({ HexText.decode($0, length: 32) }) else {
                throw Refusal(code: .invalidMessage, message: "after_hash must be 64 hex digits")
            }
            hash = bytes
        }
        var snapshot: Bool?
        if let value = member("snapshot", of: object) {
            guard let flag = value.bool else {
                throw Refusal(code: .invalidMessage, message: "snapshot must be true or false")
            }
            snapshot = flag
        }
        return Subscription(debateID: id, replayFromSeq: from, afterHash: hash, snapshot: snapshot)
    }

    private static func debateID(_ object: JSONObject) throws(Refusal) -> DebateID {
        guard let text = (member("debate_id", of: object) ?? member("loop_id", of: object))?.string else {
            throw Refusal(code: .invalidMessage, message: "debate_id is missing")
        }
        guard let id = DebateID(text) else {
            throw Refusal(code: .invalidMessage, message: "debate_id is not the id of a debate")
        }
        return id
    }

    /// A number or a short text is given back as it came; anything else is not worth an echo.
    private static func clock(_ object: JSONObject) -> JSONValue {
        switch object["ts"] ?? object["timestamp"] ?? .null {
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        case .string(let text) where text.utf8.count <= 64: .string(text)
        default: .null
        }
    }

    private static func member(_ key: String, of object: JSONObject) -> JSONValue? {
        object[key].flatMap { $0.isNull ? nil : $0 }
    }
}

package import Domain

/// Events of the log in one message, for who comes late: what was there, instead of one message for each.
///
/// Like ``ServerMessage`` it carries no `seq` of its own. Made of envelopes as they are, so that who reads it can verify
/// the chain as if they had come alone.
package struct SnapshotMessage: Sendable {
    package let debate: DebateID
    /// The first event in it, or the one that will be the next when it has none.
    package let fromSeq: Int64
    /// What the first event links to.
    package let prevHash: [UInt8]
    /// The last event in it, where a client resumes; `fromSeq` − 1 when it has none.
    package let toSeq: Int64
    package let hash: [UInt8]
    /// Whether this was all there was; otherwise another one follows.
    package let isComplete: Bool

    package init(
        debate: DebateID, fromSeq: Int64, prevHash: [UInt8], toSeq: Int64, hash: [UInt8], isComplete: Bool
    ) {
        self.debate = debate
        self.fromSeq = fromSeq
        self.prevHash = prevHash
        self.toSeq = toSeq
        self.hash = hash
        self.isComplete = isComplete
    }

    /// The text of the message.
    /// - Parameters:
    ///   - envelopes: of events `fromSeq`…`toSeq`, as ``EventEnvelope`` writes them.
    ///   - timestamp: now, as ISO 8601 in UTC.
    package func encode(_ envelopes: [ArraySlice<UInt8>], timestamp: String) -> [UInt8] {
        var text = JSONText(capacity: envelopes.reduce(512) { $0 + $1.count + 1 })
        text.raw("{\"type\":\"snapshot\",\"debate_id\":")
        text.string(debate.text)
        text.raw(",\"loop_id\":")
        text.string(debate.text)
        text.raw(",\"timestamp\":")
        text.string(timestamp)
        text.raw(",\"data\":{\"debate_id\":")
        text.string(debate.text)
        text.raw(",\"from_seq\":")
        text.number(fromSeq)
        text.raw(",\"to_seq\":")
        text.number(toSeq)
        text.raw(",\"prev_hash\":\"")
        text.raw(HexText.encode(prevHash))
        text.raw("\",\"hash\":\"")
        text.raw(HexText.encode(hash))
        text.raw("\",\"complete\":")
        text.bool(isComplete)
        text.raw(",\"events\":")
        text.raw(MessageArray.encode(envelopes))
        text.raw("}}")
        return text.bytes
    }
}

/// Several messages in one, for clients that asked for it: a JSON array of what would have come one after another.
package enum MessageArray {
    package static func encode(_ messages: [ArraySlice<UInt8>]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(messages.reduce(2) { $0 + $1.count + 1 })
        bytes.append(UInt8(ascii: "["))
        for (place, message) in messages.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: message)
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }
}

package import Domain

/// A piece of a model's answer while it is written: live only, without a `seq` (contract §3.2, design §2.6).
///
/// The stored event supersedes it. A client drops pieces of an older epoch, starts the text again at a higher attempt, and
/// knows by `offset` when it missed one.
package struct TokenMessage: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case start
        /// `offset`: UTF-16 code units of this attempt's text before `text`, as JavaScript counts.
        case delta(text: String, offset: Int)
        /// `length`: UTF-16 code units of the whole text.
        case end(length: Int)
    }

    package let kind: Kind
    package let debate: DebateID
    package let call: CallReference
    package let epoch: Int64
    package let agent: String
    package let round: Int
    package let phase: DebatePhase

    package init(
        _ kind: Kind, debate: DebateID, call: CallReference, epoch: Int64, agent: String, round: Int, phase: DebatePhase
    ) {
        self.kind = kind
        self.debate = debate
        self.call = call
        self.epoch = epoch
        self.agent = agent
        self.round = round
        self.phase = phase
    }

    /// The envelope, one JSON object.
    /// - Parameter timestamp: now, as ISO 8601 in UTC.
    package func encode(timestamp: String) -> [UInt8] {
        var data = JSONObject([
            ("debate_id", .string(debate.text)), ("agent", .string(agent)), ("round_number", .int(Int64(round))),
            ("phase", .string(phase.rawValue)), ("call_id", .string(call.key.text)),
            ("attempt", .int(Int64(call.attempt))),
            ("epoch", .int(epoch)),
        ])
        switch kind {
        case .start: break
        case .delta(let text, let offset):
            data.append("offset", .int(Int64(offset)))
            data.append("delta", .string(text))
        case .end(let length):
            data.append("offset", .int(Int64(length)))
        }
        let object: JSONObject = JSONObject([
            ("type", .string(type)), ("debate_id", .string(debate.text)), ("loop_id", .string(debate.text)),
            ("epoch", .int(epoch)), ("round", .int(Int64(round))), ("agent", .string(agent)),
            ("timestamp", .string(timestamp)), ("data", .object(data)),
        ])
        return JSONValue.object(object).bytes
    }

    private var type: String {
        switch kind {
        case .start: "token_start"
        case .delta: "token_delta"
        case .end: "token_end"
        }
    }
}

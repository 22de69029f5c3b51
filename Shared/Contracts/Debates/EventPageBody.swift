package import Domain

/// A page of the log: envelopes as they are, byte for byte.
package enum EventPageBody {
    package static func encode(
        _ debate: DebateID, envelopes: [[UInt8]], lastSeq: Int64, latestSeq: Int64, status: DebateStatus
    ) -> [UInt8] {
        var text = JSONText(capacity: envelopes.reduce(256) { $0 + $1.count + 1 })
        text.raw("{\"debate_id\":")
        text.string(debate.text)
        text.raw(",\"status\":")
        text.string(status.clientText)
        text.raw(",\"last_seq\":")
        text.number(lastSeq)
        text.raw(",\"latest_seq\":")
        text.number(latestSeq)
        text.raw(",\"count\":")
        text.number(Int64(envelopes.count))
        text.raw(",\"has_more\":")
        text.bool(lastSeq < latestSeq)
        text.raw(",\"events\":[")
        for (index, envelope) in envelopes.enumerated() {
            if index > 0 { text.raw(",") }
            text.raw(envelope)
        }
        text.raw("]}")
        return text.bytes
    }
}

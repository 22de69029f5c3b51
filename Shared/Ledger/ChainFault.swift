/// The first thing that is wrong with a log.
package struct ChainFault: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        /// The number is not the one after the event before.
        case wrongNumber(expected: Int64)
        /// `prev_hash` is not the hash of the event before.
        case brokenLink
        /// `data_hash` is not the hash of salt and data.
        case wrongDataHash
        /// The hash does not cover what the event says.
        case wrongHash
        /// The epoch is lower than that of the event before.
        case epochWentBack
        /// The time is earlier than that of the event before.
        case timeWentBack
        /// Something follows `debate_end`.
        case afterEnd
        /// The event is of another debate.
        case foreignDebate
        /// The envelope could not be read.
        case malformed(String)
    }

    /// The event's number as it claims it; the expected one when it has none.
    package let seq: Int64
    package let reason: Reason

    package init(seq: Int64, reason: Reason) {
        self.seq = seq
        self.reason = reason
    }

    package var description: String {
        switch reason {
        case .wrongNumber(let expected): "event \(seq): expected number \(expected)"
        case .brokenLink: "event \(seq): does not link to the event before it"
        case .wrongDataHash: "event \(seq): its data is not what was hashed"
        case .wrongHash: "event \(seq): its hash does not cover it"
        case .epochWentBack: "event \(seq): its epoch is lower than the one before"
        case .timeWentBack: "event \(seq): it is earlier than the one before"
        case .afterEnd: "event \(seq): comes after the end of the debate"
        case .foreignDebate: "event \(seq): belongs to another debate"
        case .malformed(let why): "event \(seq): \(why)"
        }
    }
}

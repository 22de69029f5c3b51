import Contracts
package import Domain

/// The log of a debate that others branch off, read from its beginning: every link checked, every event given to the
/// machine, and remembered where each of its rounds was complete.
package struct ParentLog: Sendable {
    package private(set) var machine = DebateMachine()
    /// Nothing of what was said is left; the chain still holds.
    package private(set) var isErased = false
    /// Where a debate that shares so many rounds branches off; the newest event before the next round began.
    private var points: [Int: LogTail] = [:]
    private var verifier: ChainVerifier

    package init(debate: DebateID) { verifier = ChainVerifier(debateID: debate) }

    /// The newest event that was taken.
    package var tail: LogTail { verifier.tail }
    /// Rounds that can be shared, from 0; nil when nothing can.
    package var rounds: Int? { isErased ? nil : points.keys.max() }
    package func tail(afterRound round: Int) -> LogTail? { isErased ? nil : points[round] }

    /// What a debate that branches off here takes over; nothing of what was erased.
    ///
    /// - Parameter inherited: what this one took over itself.
    package func bequest(_ inherited: Inheritance) -> Inheritance {
        guard !isErased else { return Inheritance() }
        var machine = machine
        machine.inherit(inherited)
        return machine.bequest
    }

    /// Takes the next event.
    /// - Throws: ``ChainFault`` when the log is not one that this program has written.
    package mutating func take(_ event: SealedEvent) throws(ChainFault) {
        try verifier.feed(event)
        guard !isErased, let decoded = try decoded(event) else { return }
        do throws(MachineError) { try machine.take(decoded, at: event.at) } catch {
            throw ChainFault(seq: event.seq, reason: .malformed(error.message))
        }
        if machine.isBetweenRounds { points[machine.completedRounds] = tail }
    }

    /// - Returns: nil for what was erased. A person's words may be taken away alone; without anything else the rest can
    ///   not be followed any more.
    private mutating func decoded(_ event: SealedEvent) throws(ChainFault) -> DebateEvent? {
        guard event.isErased else {
            do throws(ContractError) { return try EventCodec.decode(event) } catch {
                throw ChainFault(seq: event.seq, reason: .malformed(error.message))
            }
        }
        switch event.type {
        case "user_message": return nil
        case "debate_paused": return .debatePaused(by: "")
        case "debate_resumed": return .debateResumed(by: "")
        default:
            isErased = true
            return nil
        }
    }
}

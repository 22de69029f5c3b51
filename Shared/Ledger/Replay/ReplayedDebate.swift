package import Domain

/// A debate that was made once more from what was recorded of it: by the engine of its time and the code that composes
/// and seals events, without a clock, a store, a network or chance, and byte for byte the same.
///
/// Taken from the record are the outcomes of calls, what people asked for, when something happened, under which epoch and
/// salt, that time ran out, and who ended a debate from outside. Everything else is decided anew: who is asked what, what
/// an answer amounts to, votes, rounds, the decision, the receipt's checksum, the end.
package struct ReplayedDebate: Sendable {
    /// How often the same was done once more.
    package struct Tally: Sendable, Hashable {
        package var events = 0
        /// Outcomes that events were made of.
        package var outcomes = 0
        package var commands = 0
        /// Answers that no event has: they came too late, or when the debate was over.
        package var unusedAnswers = 0
    }

    package private(set) var machine = DebateMachine()
    package private(set) var tally = Tally()

    /// Whether `debate_end` was reached; a debate that goes on is rebuilt as far as it is.
    package var hasEnded: Bool { machine.hasEnded }
    package var branch: Branch? { machine.branch }

    private var inputs: ReplayInputs
    private var chain: EventChain
    private var verifier: ChainVerifier
    private var transcript = Transcript()

    /// - Throws: the first ``ReplayFault``.
    package init(_ recording: DebateRecording) throws(ReplayFault) {
        inputs = ReplayInputs(recording)
        chain = EventChain(debateID: recording.debate)
        verifier = ChainVerifier(debateID: recording.debate)
        guard !recording.events.isEmpty else { throw ReplayFault(seq: 1, type: "debate_start", reason: .empty) }
        for event in recording.events { try take(event) }
        tally.unusedAnswers = inputs.unusedAnswers
    }

    private mutating func take(_ recorded: SealedEvent) throws(ReplayFault) {
        let seq = chain.tail.seq + 1
        func fault(_ reason: ReplayFault.Reason) -> ReplayFault {
            ReplayFault(seq: seq, type: recorded.type, reason: reason)
        }
        guard !recorded.data.isEmpty else { throw fault(.erased) }
        guard recorded.salt.count == EventHash.saltLength else {
            throw fault(.different(.salt, detail: "it has \(recorded.salt.count) bytes"))
        }
        let event: DebateEvent
        do throws(ReplayFault.Reason) {
            event = try inputs.event(
                for: recorded, machine: machine, head: chain.tail, transcript: transcript, tally: &tally)
        } catch {
            throw fault(error)
        }
        let sealed = chain.seal(event, at: recorded.at, epoch: recorded.epoch, salt: recorded.salt)
        if let difference = EventDifference.between(recorded, sealed) { throw fault(difference) }
        do throws(ChainFault) { try verifier.feed(sealed) } catch { throw fault(.misplaced(error.reason)) }
        do throws(MachineError) { try machine.take(event, at: recorded.at) } catch {
            throw fault(error.code == .unsupportedEngine ? .unreadable(error.message) : .notDue)
        }
        transcript.add(sealed)
        inputs.passed(sealed)
        tally.events += 1
    }
}

extension ReplayFault.Reason: Error {}

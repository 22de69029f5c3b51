import Contracts
import Crypto
import Domain

/// Finds what an event was made of, and makes it again.
struct ReplayInputs: Sendable {
    private typealias Reason = ReplayFault.Reason

    private let debate: DebateID
    private let calls: [CallReference: CallRecord]
    private let receipt: [UInt8]?
    private var commands: ArraySlice<DebateCommand>
    private var used: Set<CallReference> = []
    /// Epochs of events, by number from 1: a holder for one transaction has an epoch of its own.
    private let epochs: [Int64]
    /// The type of each event of the newest epoch so far.
    private var typesOfEpoch: [String] = []
    private var epoch: Int64 = 0

    init(_ recording: DebateRecording) {
        debate = recording.debate
        calls = Dictionary(recording.calls.map { ($0.reference, $0) }) { first, _ in first }
        receipt = recording.receipt
        commands = recording.commands[...]
        epochs = recording.events.map(\.epoch)
    }

    var unusedAnswers: Int { calls.values.count { $0.state == .answered && !used.contains($0.reference) } }

    mutating func passed(_ event: SealedEvent) {
        if event.epoch != epoch { typesOfEpoch = [] }
        epoch = event.epoch
        typesOfEpoch.append(event.type)
    }

    /// The event that the machine, the calls' ledger or a person makes of it here.
    mutating func event(
        for recorded: SealedEvent, machine: DebateMachine, head: LogTail, transcript: Transcript,
        tally: inout ReplayedDebate.Tally
    ) throws(ReplayFault.Reason) -> DebateEvent {
        switch recorded.type {
        case "debate_start": return try start(recorded, machine)
        case "agent_message", "critique", "revision", "vote", "sealed_vote", "synthesis":
            tally.outcomes += 1
            return try answer(recorded, machine)
        case "agent_error", "agent_fallback_triggered":
            tally.outcomes += 1
            return try failure(recorded, machine)
        case "call_abandoned": return try abandonment(recorded)
        case "user_message", "debate_paused", "debate_resumed":
            tally.commands += 1
            return try command(recorded)
        case "timeout":
            guard let timeout = machine.spec?.timeout else { throw .notDue }
            return timeout
        // What the store of conclusions had then.
        case DebateEvent.recallType: return try decoded(recorded)
        case "budget_alert": return try decoded(recorded)  // What the books said; the machine decides nothing by it.
        case "debate_early_terminated": return try earlyEnd(recorded, machine)
        case "receipt_generated": return try receipt(recorded, machine, head, transcript)
        case "debate_end": return try end(recorded, machine)
        default: return try step(machine)
        }
    }

    /// What the machine itself decides; also what the record calls by a name that nobody knows.
    private func step(_ machine: DebateMachine) throws(Reason) -> DebateEvent {
        guard case .record(let due) = machine.due.first, let next = due.first else { throw .notDue }
        return next
    }

    /// The machine's own, or that the books refused to pay: a fact, like an outcome.
    private func earlyEnd(_ recorded: SealedEvent, _ machine: DebateMachine) throws(Reason) -> DebateEvent {
        guard case .earlyTerminated(let said) = try decoded(recorded), let refusal = said.refusedBy else {
            return try step(machine)
        }
        guard let event = machine.stop(refusedBy: refusal) else { throw .notDue }
        return event
    }

    // MARK: What was asked, and by whom

    private func start(_ recorded: SealedEvent, _ machine: DebateMachine) throws(Reason) -> DebateEvent {
        guard machine.spec == nil else { throw .notDue }
        return try decoded(recorded)
    }

    /// The next command that was recorded; without one, what a holder for one transaction wrote into the log itself.
    private mutating func command(_ recorded: SealedEvent) throws(Reason) -> DebateEvent {
        let said = try decoded(recorded)
        if let next = commands.first, next.event == said || !isAlone(recorded) {
            commands.removeFirst()
            return next.event
        }
        guard isAlone(recorded) else { throw .missingCommand }
        return said
    }

    /// Whether no other event has its epoch.
    private func isAlone(_ recorded: SealedEvent) -> Bool {
        epochs.count { $0 == recorded.epoch } == 1 && recorded.epoch > 0
    }

    // MARK: Calls

    private mutating func answer(_ recorded: SealedEvent, _ machine: DebateMachine) throws(Reason) -> DebateEvent {
        let said = try decoded(recorded)
        let (call, record) = try outcome(recorded, said, machine)
        guard let answer = record.answer else { throw .missingOutcome(record.reference) }
        used.insert(record.reference)
        // Whether the price was known then stands in the log alone: the ledger has what was paid.
        let usage = Usage(
            inputTokens: answer.usage.inputTokens, outputTokens: answer.usage.outputTokens, cost: answer.usage.cost,
            isPriceAssumed: said.usage?.isPriceAssumed ?? false)
        return ReplyParser.event(
            for: call,
            answer: Answer(
                content: answer.content, provider: answer.provider, model: answer.model, usage: usage,
                truncated: answer.truncated), attempt: record.reference.attempt)
    }

    private mutating func failure(_ recorded: SealedEvent, _ machine: DebateMachine) throws(Reason) -> DebateEvent {
        let said = try decoded(recorded)
        let (call, record) = try outcome(recorded, said, machine)
        switch said {
        case .agentFallback(let fallback):
            guard let kind = record.failure else { throw .missingOutcome(record.reference) }
            // Who stands in is a setting; that the call failed, and how, is not.
            return ReplyParser.fallbackEvent(
                for: call, kind: kind, attempt: record.reference.attempt, provider: fallback.fallbackProvider,
                model: fallback.fallbackModel)
        case .agentError(let failure):
            let givenUp = failure.kind == .attemptsExhausted || failure.kind == .cancelled
            guard let kind = record.failure ?? (givenUp && record.answer == nil ? failure.kind : nil) else {
                throw .missingOutcome(record.reference)
            }
            return ReplyParser.failureEvent(
                for: call, kind: failure.kind == .attemptsExhausted ? failure.kind : kind,
                attempt: record.reference.attempt)
        default: throw .notDue
        }
    }

    private func outcome(
        _ recorded: SealedEvent, _ said: DebateEvent, _ machine: DebateMachine
    ) throws(Reason) -> (PlannedCall, CallRecord) {
        var named = recorded.call ?? said.consumedCall
        if case .agentFallback(let fallback) = said { named = fallback.call }
        guard let reference = named else { throw .unreadable("it names no call") }
        guard let call = machine.openCalls.first(where: { $0.key == reference.key }) else { throw .notDue }
        guard let record = calls[reference] else { throw .missingOutcome(reference) }
        return (call, record)
    }

    private func abandonment(_ recorded: SealedEvent) throws(Reason) -> DebateEvent {
        guard case .callAbandoned(let reference, _, _) = try decoded(recorded) else { throw .notDue }
        guard let record = calls[reference] else { throw .missingOutcome(reference) }
        return record.abandonment
    }

    // MARK: The end

    private func receipt(
        _ recorded: SealedEvent, _ machine: DebateMachine, _ head: LogTail, _ transcript: Transcript
    ) throws(Reason) -> DebateEvent {
        guard case .receiptGenerated(let said) = try decoded(recorded),
            case .finish(let outcome) = machine.due.first, outcome.needsReceipt
        else { throw .notDue }
        guard let receipt, let stored = try? ReceiptDocument.parse(receipt) else {
            throw .missingReceipt
        }
        // A receipt of an older form is taken as it is stored: it can be checked, and no longer written.
        guard stored.schema == ReceiptDocument.schemaVersion else {
            return .receiptGenerated(
                ReceiptSummary(
                    id: said.id, verdict: outcome.verdict, confidence: outcome.confidence,
                    checksum: Hex.encode(SHA256.hash(stored.coveredBytes))))
        }
        guard let salt = stored.salt else { throw .erased }
        let issued = ReceiptIssuer.issue(
            id: said.id, debateID: debate, outcome: outcome, head: head, transcript: transcript, at: recorded.at,
            previous: stored.previousChecksum, salt: salt, keys: nil)
        return .receiptGenerated(issued.summary)
    }

    private func end(_ recorded: SealedEvent, _ machine: DebateMachine) throws(Reason) -> DebateEvent {
        guard case .debateEnd(let said) = try decoded(recorded) else { throw .notDue }
        if case .finish(let outcome) = machine.due.first, outcome.status == said.status {
            return .debateEnd(outcome.debateEnd(at: recorded.at))
        }
        // From outside: who did it had an epoch of its own, and says why.
        let isOutside =
            recorded.epoch > epoch
            || recorded.epoch == epoch && typesOfEpoch.allSatisfy { $0 == "call_abandoned" }
        guard isOutside, said.status == .cancelled || said.status == .failed,
            let outcome = machine.outcome(endedAs: said.status, reason: said.reason ?? "")
        else { throw .notDue }
        return .debateEnd(outcome.debateEnd(at: recorded.at))
    }

    private func decoded(_ recorded: SealedEvent) throws(Reason) -> DebateEvent {
        do throws(ContractError) { return try EventCodec.decode(recorded) } catch {
            throw .unreadable(error.message)
        }
    }
}

extension DebateEvent {
    /// What the answer that it was made of used.
    fileprivate var usage: Usage? {
        switch self {
        case .agentMessage(let statement), .revision(let statement, _): statement.usage
        case .critique(let critique): critique.usage
        case .vote(let vote), .sealedVote(let vote): vote.usage
        case .synthesis(let synthesis): synthesis.usage
        default: nil
        }
    }
}

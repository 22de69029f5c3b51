import Crypto
import Domain
import Ledger
import Platform
import Providers

/// One phase step: outcomes and commands become events, and go into the log in one append.
extension DebateRun {
    /// Events that were made but not appended, because the end follows them at once.
    struct LastStep {
        let draft: Draft
        let settlements: [CallSettlement]
        let consumed: Int64?
    }

    /// Takes in what is ready. The machine only moves once its events are known to be in the log.
    /// - Returns: the last step of the debate, to be appended with its end; nil when there is more to come, or calls in
    ///   flight must be aborted first.
    func advance() async throws(RunStop) -> LastStep? {
        var draft = Draft(machine: machine, at: nextTime)
        let taken = finished
        finished = []
        let settlements = taken.filter { !$0.isReused }.compactMap(settlement)
        for done in taken {
            if let event = event(for: done) { try draft.apply(event) }
        }
        if let left = millisecondsToTimeout, left <= 0, let spec = machine.spec {
            try draft.apply(spec.timeout)
        }
        let consumed = try draft.take(commands)
        try draft.applyDueRecords()
        guard !draft.events.isEmpty else {
            try await settle(settlements)
            return nil
        }
        if inFlight.isEmpty, granted.isEmpty, draft.machine.isFinishDue {
            return LastStep(draft: draft, settlements: settlements, consumed: consumed)
        }
        let fresh = freshCalls(after: draft.machine)
        let result = try await append(
            draft, settlements: settlements, consumed: consumed, intents: fresh.map(intent))
        granted += fresh.compactMap { call in result.granted.first { $0.key == call.key }.map { (call, $0) } }
        if let consumed {
            consumedCommands = consumed
            commands.removeAll { $0.number <= consumed }
        }
        try await note(result.alerts)
        return nil
    }

    /// Events that follow from what is ready, tried on a copy of the machine.
    struct Draft {
        private(set) var machine: DebateMachine
        let at: Timestamp
        private(set) var events: [DebateEvent] = []

        init(machine: DebateMachine, at: Timestamp) {
            self.machine = machine
            self.at = at
        }

        mutating func apply(_ event: DebateEvent) throws(RunStop) {
            do throws(MachineError) { try machine.take(event, at: at) } catch {
                throw .broken("the machine refused an event made for it: \(error.message)")
            }
            events.append(event)
        }

        /// - Returns: the last command that became an event; when the debate is over, the end rejects the rest.
        mutating func take(_ commands: [DebateCommand]) throws(RunStop) -> Int64? {
            var consumed: Int64?
            for command in commands where !machine.isOver {
                try apply(command.event)
                consumed = command.number
            }
            return consumed
        }

        mutating func applyDueRecords() throws(RunStop) {
            while let event = machine.dueRecord { try apply(event) }
        }
    }

    /// - Returns: what became of `intents`.
    @discardableResult
    func append(
        _ draft: Draft, settlements: [CallSettlement], consumed: Int64?, intents: [CallIntent] = []
    ) async throws(RunStop) -> IntentResult {
        let sealed = try seal(draft.events, at: draft.at)
        let (began, start) = (BootInstant.now(), WallClock.nowNanoseconds())
        let result: IntentResult
        do throws(EventLogError) {
            result = try await context.log.append(
                EventBatch(
                    debate: claim.debate, epoch: claim.epoch, previous: tail, events: sealed, outcomes: settlements,
                    consumedCommands: consumed), intents: intents)
        } catch {
            throw RunStop(error)
        }
        KillPoint.reach(.afterCommitBeforePublish)
        if !result.granted.isEmpty { KillPoint.reach(.afterIntent) }
        context.metrics.observe(.appendLatency, [], BootInstant.now().since(began).secondsValue)
        context.metrics.add(.eventsAppended, by: Double(sealed.count))
        trace.committed(sealed, since: start)
        try replay.committed(sealed, machine: draft.machine)
        context.publisher.committed(claim.debate, sealed)
        return result
    }

    func seal(_ events: [DebateEvent], at: Timestamp) throws(RunStop) -> [SealedEvent] {
        var chain = EventChain(debateID: claim.debate, tail: tail)
        do { return try chain.seal(events, at: at, epoch: claim.epoch) } catch { throw .unavailable("\(error)") }
    }

    func settle(_ settlements: [CallSettlement]) async throws(RunStop) {
        guard !settlements.isEmpty else { return }
        do throws(RunStoreError) { try await context.store.settle(settlements) } catch { throw RunStop(error) }
    }

    /// A fact about money. A cancelled call has none: it stays open, and becomes `unknown` when somebody closes it.
    func settlement(of done: Finished) -> CallSettlement? {
        if case .failed(let failure) = done.outcome, failure.kind == .cancelled { return nil }
        return CallSettlement(
            debate: claim.debate, reference: done.reference, outcome: done.outcome,
            latencyMilliseconds: done.latencyMilliseconds,
            isFree: done.outcome.usage.cost == .zero && context.worstCost(done.call) == nil)
    }

    /// What an outcome means for the debate; nil when the call is tried again, or was cancelled by us.
    private func event(for done: Finished) -> DebateEvent? {
        switch done.outcome {
        case .answered(let answer):
            return ReplyParser.event(for: done.call, answer: answer, attempt: done.reference.attempt)
        case .failed(let failure):
            if failure.kind == .cancelled && cancelsCalls { return nil }
            if !done.isReused { history.note(failure: failure.kind, of: done.reference) }
            return followUp(failure, of: done)
        }
    }

    private func followUp(_ failure: CallFailure, of done: Finished) -> DebateEvent? {
        let earlier = machine.fallback(of: done.call.key)
        let standIn = earlier == nil ? context.fallback(done.call.agent) : nil
        let failures = history.failureCount(of: done.call.key, after: earlier?.call.attempt ?? 0)
        let verdict = context.retry.verdict(
            // What the ledger has as final is not waited for again.
            on: failure, failures: done.isReused ? .max : failures, jitter: .random(in: 0...1),
            standIn: standIn != nil, isStandIn: earlier != nil)
        switch (verdict, standIn) {
        case (.retry(after: let delay), _):
            waitToRetry(done.call.key, after: delay)
            return nil
        case (.fallBack, let standIn?):
            log.warning(
                "another provider is asked", .provider(standIn.provider.rawValue), .reason(failure.kind.rawValue))
            return ReplyParser.fallbackEvent(
                for: done.call, kind: failure.kind, attempt: done.reference.attempt, provider: standIn.provider,
                model: standIn.model)
        default:
            return ReplyParser.failureEvent(for: done.call, kind: failure.kind, attempt: done.reference.attempt)
        }
    }

    private func waitToRetry(_ key: CallKey, after delay: Duration) {
        waiting.insert(key)
        signal(after: delay) { $0.waiting.remove(key) }
    }
}

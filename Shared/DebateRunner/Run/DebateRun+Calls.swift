import Domain
import Platform
import Providers
import Sockets

/// Model calls: intents first, requests only under a fresh lease, outcomes to the loop.
extension DebateRun {
    func startDueCalls(_ group: inout DiscardingTaskGroup) async throws(RunStop) {
        guard !isDraining else { return send(&group) }
        let unknown = machine.dueCalls(where: isIdle).filter { !reuse($0) }
        if !unknown.isEmpty { try await recordIntents(for: unknown) }
        send(&group)
    }

    /// Calls that become due with events that are about to be appended, and were never asked before: their intents go
    /// into the same commit.
    func freshCalls(after machine: DebateMachine) -> [PlannedCall] {
        guard !isDraining, stopNote == nil, context.lease.isFresh else { return [] }
        return machine.dueCalls { isIdle($0) && !history.knows($0) }
    }

    func intent(_ call: PlannedCall) -> CallIntent {
        CallIntent(
            key: call.key, agent: call.agent.name, provider: call.agent.provider, model: call.agent.model,
            round: call.round,
            reservation: context.worstCost(call).map { Reservation(amount: $0, debateLimit: machine.spec?.budget) })
    }

    private func isIdle(_ key: CallKey) -> Bool {
        inFlight[key] == nil && !waiting.contains(key) && !granted.contains { $0.call.key == key }
            && !finished.contains { $0.call.key == key }
    }

    /// Takes an answer, or a final failure, that the ledger has already.
    private func reuse(_ call: PlannedCall) -> Bool {
        if let (reference, answer) = history.answer(to: call.key) {
            finish(call, reference, .answered(Self.marked(answer)))
        } else if let (attempt, kind) = history.finalFailure(
            of: call.key, after: machine.fallback(of: call.key)?.call.attempt ?? 0, policy: context.retry)
        {
            finish(call, CallReference(key: call.key, attempt: attempt), .failed(CallFailure(kind)))
        } else {
            return false
        }
        return true
    }

    /// The ledger keeps what was paid; whether the price was known follows from the model.
    private static func marked(_ answer: Answer) -> Answer {
        Answer(
            content: answer.content, provider: answer.provider, model: answer.model,
            usage: Usage(
                inputTokens: answer.usage.inputTokens, outputTokens: answer.usage.outputTokens, cost: answer.usage.cost,
                isPriceAssumed: !PriceBook.knows(provider: answer.provider, model: answer.model)),
            truncated: answer.truncated)
    }

    private func finish(_ call: PlannedCall, _ reference: CallReference, _ outcome: CallOutcome) {
        finished.append(
            Finished(call: call, reference: reference, outcome: outcome, latencyMilliseconds: 0, isReused: true))
    }

    private func recordIntents(for calls: [PlannedCall]) async throws(RunStop) {
        let result: IntentResult
        do throws(RunStoreError) {
            result = try await context.store.recordIntents(holding, calls.map(intent))
        } catch {
            throw RunStop(error)
        }
        KillPoint.reach(.afterIntent)
        for record in result.answered { history.note(record) }
        for call in calls {
            if let reference = result.granted.first(where: { $0.key == call.key }) {
                granted.append((call, reference))
            } else if result.exhausted.contains(call.key) {
                let newest = CallReference(key: call.key, attempt: history.newestAttempt(of: call.key))
                finish(call, newest, .failed(CallFailure(.attemptsExhausted)))
            } else if !reuse(call), result.refusal == nil {
                throw .broken("no word on the intent \(call.key)")
            }
        }
        try await note(result.alerts)
        if let refusal = result.refusal { try await stop(refusedBy: refusal) }
    }

    /// Nobody pays for what is due. What is under way is waited for, and may leave enough; then the debate ends with what
    /// it has.
    private func stop(refusedBy refusal: BudgetRefusal) async throws(RunStop) {
        guard inFlight.isEmpty, granted.isEmpty, finished.isEmpty, waiting.isEmpty,
            let event = machine.stop(refusedBy: refusal)
        else { return }
        log.warning("the budget is spent", .reason(refusal.text))
        var draft = Draft(machine: machine, at: nextTime)
        try draft.apply(event)
        try draft.applyDueRecords()
        try await append(draft, settlements: [], consumed: nil)
        signal()
    }

    /// Alerts that the log does not have yet become events.
    func note(_ alerts: [BudgetAlert]) async throws(RunStop) {
        let fresh = alerts.filter { !machine.budgetAlerts.contains($0.number) }
        guard !fresh.isEmpty, !machine.isOver else { return }
        var draft = Draft(machine: machine, at: nextTime)
        for alert in fresh { try draft.apply(.budgetAlert(alert)) }
        try await append(draft, settlements: [], consumed: nil)
    }

    /// Sends what was granted, in a drain too: a committed intent is a call in flight, and one that is never sent would
    /// be unknown for ever. With a stale lease it waits: the renewal that comes, or the loss, signals.
    private func send(_ group: inout DiscardingTaskGroup) {
        while !granted.isEmpty, context.lease.isFresh, stopNote == nil, !cancelsCalls {
            let (call, reference) = granted.removeFirst()
            inFlight[call.key] = reference
            trace.enter(call)
            let span = trace.call(call, attempt: reference.attempt)
            let request = CallRequest(
                debate: claim.debate, call: call, attempt: reference.attempt, epoch: claim.epoch,
                traceparent: trace.traceparent(of: span))
            group.addTask(executorPreference: context.loop) { await self.make(request, reference, span) }
        }
    }

    private nonisolated func make(_ request: CallRequest, _ reference: CallReference, _ span: Span?) async {
        let client = context.models(request.call.agent.provider)
        let relay = TokenRelay(request, publisher: context.publisher) { [loop = context.loop] in
            loop.schedule(after: $0, $1)
        }
        let began = BootInstant.now()
        let outcome = await client.call(request) { relay.add($0) }
        let took = BootInstant.now().since(began)
        relay.end()
        context.tracer.end(span, outcome)
        KillPoint.reach(.afterAnswerBeforeOutcome)
        CallMetrics.count(outcome, of: request.call.agent.provider, took: took, in: context.metrics)
        await arrived(
            Finished(
                call: request.call, reference: reference, outcome: outcome, latencyMilliseconds: took.milliseconds,
                isReused: false))
    }

    private func arrived(_ done: Finished) {
        inFlight[done.call.key] = nil
        finished.append(done)
        signal()
    }

    /// The debate is not ours any more: aborts its calls and stores only what they cost.
    func abandon(_ group: inout DiscardingTaskGroup) async {
        group.cancelAll()
        await waitForCalls()
        let facts = finished.filter { !$0.isReused }.compactMap(settlement)
        finished = []
        guard !facts.isEmpty else { return }
        do { try await context.store.settle(facts) } catch {
            log.warning("outcomes not stored", .count(facts.count), .error(error))
        }
    }

    /// Waits until every cancelled call has said how it ended.
    func waitForCalls() async {
        while !inFlight.isEmpty {
            await waitForSignal()
            clearSignal()
        }
    }
}

/// Counts model calls by provider: a closed set, never an agent's name.
enum CallMetrics {
    static func count(_ outcome: CallOutcome, of provider: ProviderKey, took: Duration, in metrics: Metrics) {
        let agent = provider.rawValue
        metrics.observe(.agentLatency, [agent], took.secondsValue)
        switch outcome {
        case .answered(let answer):
            metrics.add(.agentCalls, [agent, "success"])
            count(answer.usage, agent, in: metrics)
        case .failed(let failure):
            count(failure.usage, agent, in: metrics)
            metrics.add(.agentCalls, [agent, "error"])
            metrics.add(.agentErrors, [agent, failure.kind.rawValue])
        }
    }

    private static func count(_ usage: Usage, _ agent: String, in metrics: Metrics) {
        metrics.add(.agentTokens, [agent, "input"], by: Double(usage.inputTokens))
        metrics.add(.agentTokens, [agent, "output"], by: Double(usage.outputTokens))
        metrics.add(.agentCost, [agent], by: Double(usage.cost.amount) / 1e6)
    }
}

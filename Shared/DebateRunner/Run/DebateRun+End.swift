import Domain
import Platform

/// The two ways out while the debate is ours: its end, and letting it go.
extension DebateRun {
    /// Aborts what is still in flight. What answered meanwhile is settled; the rest is named as abandoned, because after
    /// the end no intent stays open.
    func cancelAndSettle(_ group: inout DiscardingTaskGroup) async throws(RunStop) {
        let open = inFlight.merging(granted.map { ($0.call.key, $0.reference) }) { first, _ in first }
        granted = []
        group.cancelAll()
        await waitForCalls()
        let settlements = finished.filter { !$0.isReused }.compactMap(settlement)
        let settled = Set(settlements.map(\.reference))
        finished = []
        var draft = Draft(machine: machine, at: nextTime)
        for (key, reference) in open.sorted(by: { $0.key.text < $1.key.text }) where !settled.contains(reference) {
            let agent = key.agent ?? ""
            try draft.apply(.callAbandoned(reference, agent: agent, round: key.round))
        }
        guard !draft.events.isEmpty else { return try await settle(settlements) }
        try await append(draft, settlements: settlements, consumed: nil)
    }

    /// Appends receipt and end, and `last` before them, and sets the terminal status, in one transaction (design §2.5).
    func conclude(_ last: LastStep? = nil) async throws(RunStop) -> RunEnd {
        var replay = self.replay
        var before: [SealedEvent] = []
        if let last {
            before = try seal(last.draft.events, at: last.draft.at)
            try replay.committed(before, machine: last.draft.machine)
        }
        guard case .finish(let outcome) = replay.machine.due.first else { throw .broken("the end is not due any more") }
        let ending = try DebateEnding(
            outcome, after: replay, before: before, epoch: claim.epoch,
            at: replay.nextTime(now: context.wallClock()), previousReceipt: context.previousReceipt(),
            keys: context.receiptKeys())
        let start = WallClock.nowNanoseconds()
        do throws(EventLogError) {
            _ = try await context.log.conclude(
                EventBatch(
                    debate: claim.debate, epoch: claim.epoch, previous: tail, events: ending.events,
                    outcomes: last?.settlements ?? [], consumedCommands: last?.consumed),
                ending.conclusion)
        } catch {
            throw RunStop(error)
        }
        KillPoint.reach(.afterTheEnd)
        trace.committed(ending.events, since: start)
        context.publisher.committed(claim.debate, ending.events)
        EndMetrics.count(ending.events, outcome: outcome, in: context.metrics)
        return .ended(outcome.status)
    }

    /// Lets go of a paused debate, or of any in a drain.
    /// - Returns: nil when commands came first and must become events.
    func release() async throws(RunStop) -> RunEnd? {
        let status: DebateStatus = machine.isPaused ? .paused : .queued
        let result: ReleaseResult
        do throws(RunStoreError) {
            result = try await context.store.release(holding, runner: runner, to: status)
        } catch {
            throw RunStop(error)
        }
        switch result {
        case .released:
            return .released(status)
        case .commandsWaiting(let waiting):
            let last = commands.last?.number ?? consumedCommands
            commands += waiting.filter { $0.number > last }
            signal()
            return nil
        case .notOurs:
            throw .lost(currentEpoch: claim.epoch)
        }
    }
}

import Domain
import Messaging
package import Platform
import Providers
import Sockets
import Storage

/// Claims debates and runs them, as many at a time as it has slots, until it is drained (design §2.2).
///
/// Its parts are child tasks on one loop and meet here: the claim loop starts runs, the lease keeper says what is still
/// ours, the sweep finds what others left, the doorbell and the control channel only hint.
package actor DebateRunnerService: Service {
    enum Phase { case running, draining, cancelling }

    package nonisolated let name = "debate-runner"
    nonisolated let settings: RunnerSettings
    nonisolated let policy: EmbeddedRunnerPolicy
    nonisolated let dependencies: RunnerDependencies
    nonisolated let context: RunContext
    nonisolated let publisher: Publisher
    nonisolated let store: PostgresRunStore
    nonisolated let sequencer: ReceiptSequencer
    nonisolated let retention: ReceiptRetention
    package nonisolated var unownedExecutor: UnownedSerialExecutor { dependencies.loop.asUnownedSerialExecutor() }

    private(set) var phase = Phase.running
    private(set) var runs: [DebateID: DebateRun] = [:]
    /// This process's present registration; nil while there is none.
    var registry: RunnerRegistry?
    /// Claims that are waiting for their run to be started.
    private var arrivals: [(claim: Claim, runner: RunnerID)] = []
    /// Rings that are answered by the next claim.
    private var rings: [DoorbellReader.Delivery] = []
    /// Debates that must not be taken up again here: replaying them showed a bug. The watchdog ends them.
    private(set) var broken: Set<DebateID> = []
    /// The registration is being given back; nobody makes another one.
    var isRetiring = false
    /// What the last renewal named although we knew nothing of it.
    var suspects: Set<Holding> = []
    /// The queue may hold something for us.
    private var isHungry = true
    /// Whether the policy lets us claim; workers always may.
    var mayClaim: Bool
    private var waiter: CheckedContinuation<Void, Never>?
    /// What this process has to do with the receipt log.
    var receiptOffice = ReceiptSequencer.Office()
    private var slotWaiters: [CheckedContinuation<Void, Never>] = []
    var reader: DoorbellReader?

    /// - Parameter policy: `.on` for workers.
    package init(settings: RunnerSettings, policy: EmbeddedRunnerPolicy = .on, dependencies: RunnerDependencies) {
        self.settings = settings
        self.policy = policy
        self.dependencies = dependencies
        mayClaim = policy == .on
        dependencies.metrics.declare(
            .activeDebates, .claims, .appendLatency, .leaseLost, .deadLetters, .alarms, .publishes, .publishLag)
        dependencies.metrics.set(.workerCapacity, to: policy == .off ? 0 : Double(settings.concurrency))
        EndMetrics.declare(in: dependencies.metrics)
        store = PostgresRunStore(pool: dependencies.pool, maxAttempts: settings.maxAdoptions)
        let log = PostgresEventLog(
            pool: dependencies.pool, ratings: dependencies.ratings,
            onKept: { [log = dependencies.log, metrics = dependencies.metrics] problem in
                metrics.add(.knowledgeKept, [problem == nil ? "ok" : "error"])
                if let problem { log.warning("a conclusion was not kept", .reason(problem)) }
            })
        let redis = dependencies.redis
        publisher = Publisher(
            loop: dependencies.loop, stream: { redis?.stream }, log: log, logger: dependencies.log,
            metrics: dependencies.metrics)
        let sequencer = ReceiptSequencer(
            pool: dependencies.pool, keys: dependencies.receiptKeys,
            name: "\(settings.kind.rawValue)-\(UInt64.random(in: .min ... .max))", log: dependencies.log,
            metrics: dependencies.metrics)
        self.sequencer = sequencer
        retention = ReceiptRetention(
            pool: dependencies.pool, days: dependencies.receiptRetentionDays, log: dependencies.log,
            metrics: dependencies.metrics)
        context = RunContext(
            loop: dependencies.loop, log: log, store: store, models: dependencies.models,
            fallback: dependencies.fallback, worstCost: dependencies.worstCost, receiptKeys: dependencies.receiptKeys,
            publisher: publisher,
            lease: LeaseClock(lease: settings.lease), retry: RetryPolicy(), logger: dependencies.log,
            metrics: dependencies.metrics, tracer: dependencies.tracer, wallClock: WallClock.nowMilliseconds,
            previousReceipt: { sequencer.newestChecksum })
    }

    var freeSlots: Int { max(0, settings.concurrency - runs.count - arrivals.count) }

    package func run(until shutdown: ShutdownSignal) async throws {
        guard policy != .off else { return await shutdown.wait(for: .draining) }
        shutdown.onReaching(.draining) { [weak self] in self?.note { $0.drain() } }
        shutdown.onReaching(.cancelled) { [weak self] in self?.note { $0.cancelCalls() } }
        await withTaskCancellationHandler {
            await runParts()
        } onCancel: {
            note { $0.cancelCalls() }
        }
    }

    private func runParts() async {
        await withDiscardingTaskGroup { group in
            group.addTask(executorPreference: dependencies.loop) { await self.publisher.run() }
            group.addTask(executorPreference: dependencies.loop) { await self.keepLease() }
            group.addTask(executorPreference: dependencies.loop) { await self.sweep() }
            group.addTask(executorPreference: dependencies.loop) { await self.listen() }
            group.addTask(executorPreference: dependencies.loop) { await self.keepReceiptLog() }
            await claimAndRun(&group)
            await retire()
            await leaveReceiptLog()
            await publisher.finish()
            group.cancelAll()
        }
    }

    // MARK: Claiming and running

    /// Starts runs until a drain is over.
    private func claimAndRun(_ group: inout DiscardingTaskGroup) async {
        while true {
            let claims = arrivals
            arrivals = []
            for (claim, runner) in claims { start(claim, by: runner, &group) }
            if phase != .running && runs.isEmpty { return }
            if isHungry, phase == .running, mayClaim, freeSlots > 0, let registry, context.lease.isFresh {
                isHungry = false
                await claim(for: registry.registration.id)
            } else {
                await withCheckedContinuation { waiter = $0 }
            }
        }
    }

    private func claim(for runner: RunnerID) async {
        let limit = min(freeSlots, RunnerSettings.claimBatch)
        let answered = rings
        rings = []
        do throws(RunStoreError) {
            let claims = try await store.claim(runner: runner, limit: limit)
            if claims.count == limit { isHungry = true }
            arrived(claims, by: runner)
        } catch {
            claimFailed(error, "claim")
        }
        wakeSlotWaiters()
        // Also rings for debates that somebody else has by now; the row is the truth, and the sweep finds what is left.
        do { try await reader?.acknowledge(answered.map(\.entryID)) } catch {
            dependencies.log.debug("rings not acknowledged", .error(error))
        }
    }

    func claimFailed(_ error: RunStoreError, _ what: StaticString) {
        if case .runnerExpired = error { return registrationLost() }
        dependencies.log.warning("claim failed", .reason("\(what)"), .error(error))
    }

    /// Takes up claims; the claim loop starts them.
    func arrived(_ claims: [Claim], by runner: RunnerID) {
        for claim in claims {
            dependencies.metrics.add(.claims, [claim.kind.rawValue])
            dependencies.log.info(
                "debate claimed", .debateID(claim.debate.text), .epoch(claim.epoch), .state(claim.kind.rawValue),
                .traceID(claim.trace))
        }
        arrivals += claims.map { ($0, runner) }
        wake()
    }

    private func start(_ claim: Claim, by runner: RunnerID, _ group: inout DiscardingTaskGroup) {
        let run = DebateRun(claim, runner: runner, context: context)
        let earlier = runs.updateValue(run, forKey: claim.debate)
        dependencies.metrics.set(.activeDebates, to: Double(runs.count))
        let isDraining = phase != .running
        group.addTask(executorPreference: dependencies.loop) {
            await earlier?.stop(.lost(currentEpoch: claim.epoch))
            if isDraining { await run.drain(cancellingCalls: false) }
            let end = await run.run()
            await self.finished(run, end)
        }
    }

    private func finished(_ run: DebateRun, _ end: RunEnd) async {
        let debate = run.claim.debate
        if runs[debate] === run {
            runs[debate] = nil
            publisher.ended(debate)
        }
        dependencies.metrics.set(.activeDebates, to: Double(runs.count))
        switch end {
        case .ended(let status): run.log.info("debate ended", .state(status.rawValue))
        case .released(let status): await released(run, status)
        case .stopped(let stop): stopped(run, stop)
        }
        wakeSlotWaiters()
        wake()
    }

    private func released(_ run: DebateRun, _ status: DebateStatus) async {
        run.log.info("debate released", .state(status.rawValue))
        // Without the bell a sweep finds it.
        if status == .queued { try? await dependencies.redis?.doorbell?.ring(run.claim.debate) }
        if phase != .running, !runs.isEmpty { KillPoint.reach(.duringRelease) }
    }

    private func stopped(_ run: DebateRun, _ stop: RunStop) {
        switch stop {
        case .terminal(let status):
            run.log.info("debate ended elsewhere", .state(status.rawValue))
        case .lost:
            dependencies.metrics.add(.leaseLost)
            run.log.info("debate lost", .error(stop))
        case .runnerExpired:
            registrationLost()
        case .broken(let message):
            broken.insert(run.claim.debate)
            dependencies.metrics.add(.alarms, ["run"])
            run.log.error("debate broken", .reason(message))
        case .unavailable(let message):
            run.log.warning("debate interrupted", .reason(message))
        }
    }

    // MARK: Stopping

    private func drain() {
        guard phase == .running else { return }
        phase = .draining
        dependencies.log.info("draining", .count(runs.count))
        for run in runs.values { tell(run) { $0.drain(cancellingCalls: false) } }
        dependencies.loop.schedule(after: settings.drain) { [weak self] in self?.assumeIsolated { $0.cancelCalls() } }
        wakeSlotWaiters()
        wake()
    }

    private func cancelCalls() {
        guard phase != .cancelling else { return }
        phase = .cancelling
        for run in runs.values { tell(run) { $0.drain(cancellingCalls: true) } }
        wake()
    }

    // MARK: Signals

    /// Leaves a note on a run; it lives on this loop too.
    func tell(_ run: DebateRun, _ note: @Sendable (isolated DebateRun) -> Void) {
        run.assumeIsolated { note($0) }
    }

    /// Runs `note` on the loop, soon; from any thread.
    nonisolated func note(_ note: @escaping @Sendable (isolated DebateRunnerService) -> Void) {
        dependencies.loop.execute { [weak self] in self?.assumeIsolated { note($0) } }
    }

    /// The queue may hold something.
    func lookAtQueue() {
        isHungry = true
        wake()
    }

    func rang(_ deliveries: [DoorbellReader.Delivery]) {
        rings += deliveries
        lookAtQueue()
    }

    var hasUnansweredRings: Bool { !rings.isEmpty }

    func wake() {
        waiter?.resume()
        waiter = nil
    }

    /// Suspends until something about slots, rings or the phase has changed.
    func slotChange() async { await withCheckedContinuation { slotWaiters.append($0) } }

    func wakeSlotWaiters() {
        let waiters = slotWaiters
        slotWaiters = []
        for waiter in waiters { waiter.resume() }
    }
}

import Domain
import Platform
import Sockets

/// Runs one claimed debate: replays its log into the machine, does what the machine says, until the end, a release, or
/// until the debate is not ours any more.
///
/// One task runs ``run()``; model calls are its children. Everything happens on one event loop; the methods that others
/// call only leave a note and wake it. Decisions are written before they are acted on (design §2.3).
actor DebateRun {
    /// A call whose outcome is in memory.
    struct Finished {
        let call: PlannedCall
        let reference: CallReference
        let outcome: CallOutcome
        let latencyMilliseconds: Int64
        /// Read from the ledger, where it is settled already.
        let isReused: Bool
    }

    /// Events read from the log at once.
    static let readPage = 500

    nonisolated let claim: Claim
    nonisolated let claimedAt: BootInstant
    nonisolated let context: RunContext
    nonisolated let runner: RunnerID
    nonisolated let log: Log
    nonisolated var unownedExecutor: UnownedSerialExecutor { context.loop.asUnownedSerialExecutor() }

    /// The log as far as it is known to be committed, and the machine it leads to.
    var replay: LogReplay
    /// When the debate's own time is over, by a clock that nobody sets; known once the claim has begun.
    var timeoutAt: BootInstant?
    var timeoutTimer: LoopTimer?
    var consumedCommands: Int64 = 0
    var commands: [DebateCommand] = []
    var history = CallHistory()
    /// Sent, without an outcome.
    var inFlight: [CallKey: CallReference] = [:]
    /// Intents that are committed but not sent, because the lease was not fresh.
    var granted: [(call: PlannedCall, reference: CallReference)] = []
    var finished: [Finished] = []
    /// Failed calls that wait for their next attempt.
    var waiting: Set<CallKey> = []
    var trace: RunTrace

    // Notes that others leave.
    private(set) var isDraining = false
    private(set) var cancelsCalls = false
    private(set) var stopNote: RunStop?
    private(set) var wantsCommands = false

    private var isSignalled = false
    private var waiter: CheckedContinuation<Void, Never>?

    init(_ claim: Claim, runner: RunnerID, context: RunContext) {
        self.claim = claim
        self.runner = runner
        self.context = context
        claimedAt = context.lease.reading()
        replay = LogReplay(debate: claim.debate)
        let trace = RunTrace(claim, tracer: context.tracer)
        self.trace = trace
        let log = context.logger.with(.debateID(claim.debate.text), .epoch(claim.epoch))
        self.log = trace.origin.map { log.with(.traceID($0.trace.text)) } ?? log
    }

    var machine: DebateMachine { replay.machine }
    var tail: LogTail { replay.tail }
    nonisolated var holding: Holding { Holding(debate: claim.debate, epoch: claim.epoch) }

    /// Runs to the end. Call once, in a task that prefers the context's loop.
    func run() async -> RunEnd {
        trace.begin(runner: runner)
        let end = await TraceScope.$current.withValue(trace.scope) { await runToEnd() }
        trace.end(end)
        return end
    }

    private func runToEnd() async -> RunEnd {
        defer { if let timeoutTimer { context.loop.cancel(timeoutTimer) } }
        do throws(RunStop) {
            KillPoint.reach(.afterClaim)
            try await recover()
        } catch {
            return .stopped(error)
        }
        return await withDiscardingTaskGroup { group in
            await drive(&group)
        }
    }

    // MARK: Notes, from the service on the same loop

    /// Stop at once: the debate is not ours, or not running, any more.
    func stop(_ reason: RunStop) {
        if stopNote == nil { stopNote = reason }
        signal()
    }

    /// Let go of the debate as soon as no call is in flight; with `cancellingCalls`, now.
    func drain(cancellingCalls: Bool) {
        isDraining = true
        if cancellingCalls { cancelsCalls = true }
        signal()
    }

    /// The lease is fresh: what was granted and could not be sent without it may leave.
    func leaseRenewed() { signal() }

    /// Somebody asked something of this debate, or may have.
    func lookForCommands() {
        wantsCommands = true
        signal()
    }

    // MARK: The loop

    private func drive(_ group: inout DiscardingTaskGroup) async -> RunEnd {
        do throws(RunStop) {
            while true {
                if let end = try await step(&group) { return end }
                await waitForSignal()
            }
        } catch {
            await abandon(&group)
            return .stopped(error)
        }
    }

    /// Does everything that can be done now.
    /// - Returns: nil to wait for a signal.
    private func step(_ group: inout DiscardingTaskGroup) async throws(RunStop) -> RunEnd? {
        repeat {
            isSignalled = false
            if let stopNote { throw stopNote }
            if cancelsCalls { group.cancelAll() }
            try await readCommands()
            if let last = try await advance() { return try await conclude(last) }
            if machine.isFinishDue {
                try await cancelAndSettle(&group)
                return try await conclude()
            }
            if mayRelease, let end = try await release() { return end }
            try await startDueCalls(&group)
        } while !finished.isEmpty || isSignalled
        return nil
    }

    private var mayRelease: Bool {
        (isDraining || machine.isPaused) && inFlight.isEmpty && finished.isEmpty && (granted.isEmpty || cancelsCalls)
    }

    private func readCommands() async throws(RunStop) {
        guard wantsCommands else { return }
        wantsCommands = false
        let last = commands.last?.number ?? consumedCommands
        do throws(RunStoreError) {
            commands += try await context.store.commands(claim.debate, after: last)
        } catch {
            throw RunStop(error)
        }
    }

    // MARK: Signals

    func signal() {
        isSignalled = true
        waiter?.resume()
        waiter = nil
    }

    func clearSignal() { isSignalled = false }

    func waitForSignal() async {
        guard !isSignalled else { return }
        await withCheckedContinuation { waiter = $0 }
    }

    /// Wakes the loop after a while, from a timer of the loop.
    @discardableResult
    func signal(after delay: Duration, _ note: @escaping @Sendable (isolated DebateRun) -> Void = { _ in }) -> LoopTimer
    {
        context.loop.schedule(after: delay) { [weak self] in
            self?.assumeIsolated { run in
                note(run)
                run.signal()
            }
        }
    }
}

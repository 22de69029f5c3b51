import Domain
import Platform

/// Counts the writes of a run and makes one of them fail, before or after it took effect. From then on nothing is written
/// or read any more: the process is dead.
final class Fault: Sendable {
    enum Moment: Sendable, CaseIterable { case before, after }

    private struct State {
        var writes = 0
        var isDead = false
    }

    let write: Int
    let moment: Moment
    private let state = Lock(State())

    /// - Parameter write: from 1; 0 for none.
    init(at write: Int = 0, _ moment: Moment = .before) {
        self.write = write
        self.moment = moment
    }

    var writes: Int { state.withLock { $0.writes } }
    var isDead: Bool { state.withLock { $0.isDead } }

    /// - Returns: nil when this write must not take effect; else whether its answer must be lost.
    func next() -> (losesAnswer: Bool, Void)? {
        state.withLock { state -> (losesAnswer: Bool, Void)? in
            guard !state.isDead else { return nil }
            state.writes += 1
            guard state.writes == write else { return (false, ()) }
            state.isDead = true
            return moment == .before ? nil : (true, ())
        }
    }
}

struct FaultyLog: EventLog {
    let inner: any EventLog
    let fault: Fault

    func append(_ batch: EventBatch) async throws(EventLogError) -> AppendResult {
        guard let plan = fault.next() else { throw .unavailable("dead") }
        let result = try await inner.append(batch)
        if plan.losesAnswer { throw .unavailable("answer lost") }
        return result
    }

    func append(_ batch: EventBatch, intents: [CallIntent]) async throws(EventLogError) -> IntentResult {
        guard let plan = fault.next() else { throw .unavailable("dead") }
        let references = try await inner.append(batch, intents: intents)
        if plan.losesAnswer { throw .unavailable("answer lost") }
        return references
    }

    func conclude(_ batch: EventBatch, _ conclusion: DebateConclusion) async throws(EventLogError) -> AppendResult {
        guard let plan = fault.next() else { throw .unavailable("dead") }
        let result = try await inner.conclude(batch, conclusion)
        if plan.losesAnswer { throw .unavailable("answer lost") }
        return result
    }

    func read(_ debate: DebateID, from seq: Int64, limit: Int) async throws(EventLogError) -> [SealedEvent] {
        if fault.isDead { throw .unavailable("dead") }
        return try await inner.read(debate, from: seq, limit: limit)
    }
}

struct FaultyStore: RunStore {
    let inner: any RunStore
    let fault: Fault

    private func write<Value>(
        _ body: () async throws(RunStoreError) -> Value
    ) async throws(RunStoreError) -> Value {
        guard let plan = fault.next() else { throw .unavailable("dead") }
        let value = try await body()
        if plan.losesAnswer { throw .unavailable("answer lost") }
        return value
    }

    func claim(runner: RunnerID, limit: Int) async throws(RunStoreError) -> [Claim] {
        try await inner.claim(runner: runner, limit: limit)
    }

    func claim(_ debate: DebateID, runner: RunnerID) async throws(RunStoreError) -> Claim? {
        try await inner.claim(debate, runner: runner)
    }

    func adopt(runner: RunnerID, dead: [RunnerID], limit: Int) async throws(RunStoreError) -> [Claim] {
        try await inner.adopt(runner: runner, dead: dead, limit: limit)
    }

    func reconcile(_ holding: Holding, runner: RunnerID) async throws(RunStoreError) -> Claim? {
        try await inner.reconcile(holding, runner: runner)
    }

    func begin(
        _ claim: Claim, seal: @Sendable (RunSnapshot) -> [SealedEvent]
    ) async throws(RunStoreError) -> RunSnapshot {
        try await write { () async throws(RunStoreError) in try await inner.begin(claim, seal: seal) }
    }

    func recordIntents(_ holding: Holding, _ intents: [CallIntent]) async throws(RunStoreError) -> IntentResult {
        try await write { () async throws(RunStoreError) in try await inner.recordIntents(holding, intents) }
    }

    func settle(_ settlements: [CallSettlement]) async throws(RunStoreError) {
        try await write { () async throws(RunStoreError) in try await inner.settle(settlements) }
    }

    func commands(_ debate: DebateID, after number: Int64) async throws(RunStoreError) -> [DebateCommand] {
        if fault.isDead { throw .unavailable("dead") }
        return try await inner.commands(debate, after: number)
    }

    func release(_ holding: Holding, runner: RunnerID, to status: DebateStatus) async throws(RunStoreError)
        -> ReleaseResult
    {
        try await write { () async throws(RunStoreError) in try await inner.release(holding, runner: runner, to: status)
        }
    }
}

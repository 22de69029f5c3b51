import Crypto
import Domain
import Ledger
import Platform
import PostgresClient
import Sockets
import Storage

/// A debate whose log a benchmark writes itself, as its lawful holder.
struct BenchLog: Sendable {
    let debate: DebateID
    let epoch: Int64
    private var chain: EventChain
    private let log: PostgresEventLog

    /// Creates a debate and claims it for `runner`.
    static func make(_ pool: PGPool, runner: RunnerID) async throws -> BenchLog {
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let id = DebateID(milliseconds: now.milliseconds, random: try RandomBytes.make(10))
        let agents = (1...3).map { AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo") }
        let spec = try DebateSpec(topic: "How fast is the log?", agents: agents)
        var chain = EventChain(debateID: id)
        let start = try chain.seal(.debateStart(DebateStart(spec: spec, engineVersion: .current)), at: now, epoch: 0)
        let outcome = try await DebateStore(pool: pool).create(
            NewDebate(
                id: id, slug: "bench-\(id.text.suffix(20))", spec: spec, specDocument: Array("{}".utf8),
                metadata: Array("{}".utf8),
                createdAt: now, createdBy: "bench", start: start))
        guard outcome == .created,
            let claim = try await PostgresRunStore(pool: pool, maxAttempts: 5).claim(id, runner: runner)
        else { throw BenchFailure("the debate could not be made and claimed") }
        return BenchLog(debate: id, epoch: claim.epoch, chain: chain, log: PostgresEventLog(pool: pool))
    }

    var tail: LogTail { chain.tail }

    /// Appends `count` messages of `bytes` each in one commit.
    mutating func append(_ count: Int, bytes: Int) async throws -> [SealedEvent] {
        let previous = chain.tail
        let content = String(repeating: "x", count: bytes)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let events = try chain.seal(
            (0..<count).map { _ in DebateEvent.userMessage(author: "bench", Remark(content)) }, at: now, epoch: epoch)
        _ = try await log.append(EventBatch(debate: debate, epoch: epoch, previous: previous, events: events))
        return events
    }

    private init(debate: DebateID, epoch: Int64, chain: EventChain, log: PostgresEventLog) {
        self.debate = debate
        self.epoch = epoch
        self.chain = chain
        self.log = log
    }

    /// Runs `body` as a registered runner whose lease outlives every benchmark.
    static func withRunner<Value>(
        _ database: BenchDatabase, on loop: EventLoop, _ body: (RunnerID) async throws -> Value
    ) async throws -> Value {
        let id = RunnerID(milliseconds: WallClock.nowMilliseconds(), random: try RandomBytes.make(10))
        let connection = try await PGConnection.open(
            RunnerRegistry.configure(database.configuration), loop: loop, log: .disabled)
        let registry = RunnerRegistry(
            .init(
                id: id, kind: .worker, capacity: 0, presenceKey: Int64.random(in: 1...Int64.max),
                lease: .seconds(86_400)),
            on: connection)
        try await registry.register()
        do {
            let value = try await body(id)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}

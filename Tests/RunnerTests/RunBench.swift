import Contracts
import Crypto
import Ledger
import Platform
import Providers
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing

@testable import DebateRunner
@testable import Domain

/// Runs over a real Postgres: debates, runners, and what became of them.
struct RunBench: Sendable {
    let pool: PGPool
    let log: PostgresEventLog
    let store: PostgresRunStore
    let debates: DebateStore
    let commands: CommandStore
    let publisher = RecordingPublisher()

    static let keys = KeyRing(current: SigningKey(bytes: Array(0..<32)))

    init(_ pool: PGPool) {
        self.pool = pool
        log = PostgresEventLog(pool: pool)
        store = PostgresRunStore(pool: pool, maxAttempts: 100)
        debates = DebateStore(pool: pool)
        commands = CommandStore(pool: pool)
    }

    static func with<Value>(_ body: (RunBench) async throws -> Value) async throws -> Value {
        try await DebateDatabase.with { try await body(RunBench($0)) }
    }

    // MARK: Things

    /// A queued debate with a real event 1.
    @discardableResult
    func debate(
        agents: Int = 2, rounds: Int = 1, timeoutSeconds: Int = 600, createdAt: Int64 = WallClock.nowMilliseconds(),
        budget: MicroUSD? = nil
    ) async throws -> DebateID {
        let id = DebateID(milliseconds: createdAt, random: try RandomBytes.make(10))
        let spec = try DebateSpec(
            topic: "Postgres or MongoDB?",
            agents: (1...agents).map { AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo") }, rounds: rounds,
            timeoutSeconds: timeoutSeconds, budget: budget)
        var chain = EventChain(debateID: id)
        let at = Timestamp(milliseconds: createdAt)
        let start = try chain.seal(.debateStart(DebateStart(spec: spec, engineVersion: .current)), at: at, epoch: 0)
        let outcome = try await debates.create(
            NewDebate(
                id: id, slug: "debate-\(id.text.suffix(16))", spec: spec, specDocument: Array("{}".utf8),
                metadata: Array("{}".utf8), createdAt: at, createdBy: "tester", start: start))
        guard outcome == .created else { throw Surprise("create said \(outcome)") }
        return id
    }

    /// A runner with a live row.
    func runner() async throws -> RunnerID {
        let id = RunnerID(milliseconds: WallClock.nowMilliseconds(), random: try RandomBytes.make(10))
        _ = try await pool.execute(
            """
            INSERT INTO runners (id, kind, expires_at, capacity, postgres_started_at)
            VALUES (\(id.text), 'worker', now() + interval '1 hour', 3, pg_postmaster_start_time())
            """)
        return id
    }

    func context(
        _ model: any ModelClient, fault: Fault = Fault(), lease: LeaseClock? = nil, retry: RetryPolicy = .immediate,
        fallback: @escaping @Sendable (AgentSpec) -> AgentSpec? = { _ in nil },
        worstCost: @escaping @Sendable (PlannedCall) -> MicroUSD? = { _ in nil },
        wallClock: @escaping @Sendable () -> Int64 = WallClock.nowMilliseconds
    ) -> RunContext {
        let clock = lease ?? LeaseClock(lease: .seconds(3600))
        if lease == nil { clock.confirm(sentAt: clock.reading()) }
        return RunContext(
            loop: pool.loop, log: FaultyLog(inner: log, fault: fault), store: FaultyStore(inner: store, fault: fault),
            models: { _ in model }, fallback: fallback, worstCost: worstCost, receiptKeys: { Self.keys },
            publisher: publisher, lease: clock,
            retry: retry,
            logger: .disabled, metrics: Metrics(), wallClock: wallClock)
    }

    func claim(_ debate: DebateID, _ runner: RunnerID) async throws -> Claim {
        guard let claim = try await store.claim(debate, runner: runner) else { throw Surprise("not claimable") }
        return claim
    }

    /// Takes over from a runner that is dead.
    func adopt(from dead: RunnerID, by runner: RunnerID) async throws -> Claim {
        guard let claim = try await store.adopt(runner: runner, dead: [dead], limit: 1).first else {
            throw Surprise("not adopted")
        }
        return claim
    }

    /// Claims and runs in one go.
    func run(_ debate: DebateID, _ context: RunContext) async throws -> RunEnd {
        let runner = try await runner()
        return await start(try await claim(debate, runner), runner, context)
    }

    func start(_ claim: Claim, _ runner: RunnerID, _ context: RunContext) async -> RunEnd {
        await start(DebateRun(claim, runner: runner, context: context))
    }

    func start(_ run: DebateRun) async -> RunEnd {
        await withTaskGroup(of: RunEnd.self) { group in
            group.addTask(executorPreference: pool.loop) { await run.run() }
            return await group.next() ?? .stopped(.broken("no end"))
        }
    }

    // MARK: What is stored

    func events(_ debate: DebateID) async throws -> [SealedEvent] { try await log.read(debate, from: 1, limit: 1000) }

    func types(_ debate: DebateID) async throws -> [String] { try await events(debate).map(\.type) }

    func status(_ debate: DebateID) async throws -> String {
        try await pool.query("SELECT status FROM debate_runs WHERE debate_id = \(debate.text)")[0].text("status")
    }

    func calls(_ debate: DebateID) async throws -> [(key: String, attempt: Int, state: String)] {
        try await pool.query(
            "SELECT call_key, attempt, state FROM agent_calls WHERE debate_id = \(debate.text) ORDER BY call_key, attempt"
        ).map { (try $0.text("call_key"), try $0.int("attempt"), try $0.text("state")) }
    }

    /// What must hold for every debate that has ended, whatever happened on the way.
    func expectSound(_ debate: DebateID, is status: DebateStatus, at location: SourceLocation = #_sourceLocation)
        async throws
    {
        let problem = try await problem(of: debate, is: status)
        #expect(problem == nil, sourceLocation: location)
    }

    private func problem(of debate: DebateID, is status: DebateStatus) async throws -> String? {
        let events = try await events(debate)
        var replay = LogReplay(debate: debate)
        do { for event in events { try replay.take(event) } } catch { return "the log does not replay: \(error)" }
        if !replay.machine.hasEnded { return "the log has no end" }
        // Whatever happened on the way, what was recorded leads to the same bytes.
        guard let recording = try await RecordingReader(pool: pool).recording(of: debate) else { return "no recording" }
        do { _ = try ReplayedDebate(recording) } catch { return "it can not be rebuilt: \(error)" }
        if events.filter({ $0.type == "debate_end" }).count != 1 { return "more than one end" }
        if try await self.status(debate) != status.rawValue { return "the status is \(try await self.status(debate))" }
        let calls = try await calls(debate)
        if let open = calls.first(where: { $0.state == "intent" }) { return "an intent is open: \(open)" }
        let resent = try await pool.query(
            """
            SELECT later.call_key FROM agent_calls answered JOIN agent_calls later USING (debate_id, call_key)
            WHERE debate_id = \(debate.text) AND answered.state = 'answered' AND later.attempt > answered.attempt
              AND later.created_at > answered.settled_at
            """)
        if let key = try resent.first?.text("call_key") { return "\(key) was sent again after its answer" }
        let abandoned = events.filter { $0.type == "call_abandoned" }.count
        let unknown = calls.filter { $0.state == "unknown" }.count
        return unknown <= abandoned ? nil : "\(unknown) calls unknown, \(abandoned) named"
    }
}

struct Surprise: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension RetryPolicy {
    /// Three tries without a pause.
    static let immediate = RetryPolicy(maxFailures: 3, firstDelay: .zero, maxDelay: .zero)
}

/// Remembers what runs gave it to publish.
final class RecordingPublisher: RunPublisher {
    private let published = Lock<[DebateID: [Int64]]>([:])
    private let pieces = Lock<[[UInt8]]>([])

    func began(_ debate: DebateID, epoch: Int64, tail: LogTail, events: [SealedEvent]) {
        published.withLock { $0[debate] = events.map(\.seq) }
    }

    func committed(_ debate: DebateID, _ events: [SealedEvent]) {
        published.withLock { $0[debate, default: []] += events.map(\.seq) }
    }

    func live(_ debate: DebateID, epoch: Int64, envelope: [UInt8]) { pieces.withLock { $0.append(envelope) } }
    func ended(_ debate: DebateID) {}

    func seqs(_ debate: DebateID) -> [Int64] { published.withLock { $0[debate] ?? [] } }
    var liveText: [String] { pieces.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }
}

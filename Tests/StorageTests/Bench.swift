import Crypto
import Domain
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport

/// Everything a storage test needs: the stores over a fresh schema, and debates to work on.
struct Bench: Sendable {
    let pool: PGPool
    let log: PostgresEventLog
    let runs: PostgresRunStore
    let debates: DebateStore
    let takeover: Takeover
    let commands: CommandStore
    let receipts: ReceiptReader

    static let maxAttempts = 3

    init(_ pool: PGPool) {
        self.pool = pool
        log = PostgresEventLog(pool: pool)
        runs = PostgresRunStore(pool: pool, maxAttempts: Self.maxAttempts)
        debates = DebateStore(pool: pool)
        takeover = Takeover(pool: pool)
        commands = CommandStore(pool: pool)
        receipts = ReceiptReader(pool: pool)
    }

    static func with<Value>(poolSize: Int = 4, _ body: (Bench) async throws -> Value) async throws -> Value {
        try await DebateDatabase.with(poolSize: poolSize) { try await body(Bench($0)) }
    }

    // MARK: Things

    /// A runner whose lease lasts for `seconds`, negative for one that is dead.
    func runner(lasting seconds: Int = 60) async throws -> RunnerID {
        let id = RunnerID(milliseconds: WallClock.nowMilliseconds(), random: try RandomBytes.make(10))
        _ = try await pool.execute(
            """
            INSERT INTO runners (id, kind, expires_at, capacity, postgres_started_at)
            VALUES (\(id.text), 'worker', now() + \(seconds) * interval '1 second', 3, pg_postmaster_start_time())
            """)
        return id
    }

    func expire(_ runner: RunnerID) async throws {
        _ = try await pool.execute(
            "UPDATE runners SET expires_at = now() - interval '1 second' WHERE id = \(runner.text)")
    }

    /// A queued debate with event 1.
    func debate(_ change: (inout Draft) -> Void = { _ in }) async throws -> TestChain {
        var draft = try Draft()
        change(&draft)
        let outcome = try await debates.create(try draft.debate())
        guard outcome == .created else { throw Surprise("create said \(outcome)") }
        return draft.chain
    }

    /// A debate that `runner` holds since its first claim.
    func held(by runner: RunnerID) async throws -> (chain: TestChain, holding: Holding) {
        let chain = try await debate()
        guard let claim = try await runs.claim(chain.debate, runner: runner) else { throw Surprise("nothing to claim") }
        return (chain, Holding(debate: chain.debate, epoch: claim.epoch))
    }

    /// What a rival does: the holder's lease runs out and another runner adopts.
    func adopt(from owner: RunnerID) async throws -> (runner: RunnerID, holding: Holding) {
        let rival = try await runner()
        try await expire(owner)
        guard let claim = try await runs.adopt(runner: rival, dead: [], limit: 1).first else {
            throw Surprise("not adopted")
        }
        return (rival, Holding(debate: claim.debate, epoch: claim.epoch))
    }

    /// A command by `ann`; one that finds no holder becomes an event.
    @discardableResult
    func command(_ kind: DebateCommand.Kind, of debate: DebateID) async throws -> CommandStore.Outcome {
        try await commands.take(kind, of: debate, by: "ann") { run in
            var chain = TestChain(run.debate, tail: run.tail)
            return chain.next("command", epoch: run.epoch, round: 0)
        }
    }

    /// Ends a debate from outside, naming what is abandoned.
    @discardableResult
    func end(
        _ debate: DebateID, because reason: Takeover.Reason = .cancelled, as status: DebateStatus = .cancelled
    ) async throws -> Takeover.Outcome {
        try await takeover.end(debate, because: reason) { run in
            var chain = TestChain(run.debate, tail: run.tail)
            var events = run.abandoned.map { _ in chain.next("call_abandoned", epoch: run.epoch) }
            events.append(chain.next("debate_end", epoch: run.epoch))
            return Takeover.Ending(events: events, conclusion: TestChain.conclusion(status))
        }
    }

    /// The first transaction of a claim, naming what is abandoned.
    @discardableResult
    func begin(_ claim: Claim) async throws -> RunSnapshot {
        try await runs.begin(claim) { snapshot in
            var chain = TestChain(claim.debate, tail: snapshot.tail)
            return snapshot.abandoned.map { _ in chain.next("call_abandoned", epoch: claim.epoch) }
        }
    }

    // MARK: What is stored

    func count(_ condition: SQL) async throws -> Int {
        try await pool.query("SELECT count(*) AS n FROM \(condition)")[0].int("n")
    }

    func events(_ debate: DebateID) async throws -> [SealedEvent] { try await log.read(debate, from: 1, limit: 1000) }

    func callState(_ debate: DebateID, _ key: CallKey, attempt: Int = 1) async throws -> String? {
        try await pool.query(
            """
            SELECT state FROM agent_calls
            WHERE debate_id = \(debate.text) AND call_key = \(key.text) AND attempt = \(attempt)
            """
        ).first?.text("state")
    }

    func record(_ debate: DebateID) async throws -> DebateRecord {
        guard let record = try await debates.debate(debate, within: .installation) else { throw Surprise("no debate") }
        return record
    }
}

struct Surprise: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A debate to be created.
struct Draft {
    var topic = "Should a three-person startup use Postgres or MongoDB?"
    var context: String?
    var agents = ["demo-1", "demo-2"]
    var slug: String
    var organization: String?
    var priority = 0
    var timeoutSeconds = 600
    var engineVersion = EngineVersion.current
    var metadata = "{}"
    var createdAt = Timestamp(milliseconds: WallClock.nowMilliseconds())
    var idempotency: IdempotentRequest?
    var recalled: [NewDebate.Recall] = []
    var chain: TestChain
    var start: SealedEvent

    init() throws {
        let id = DebateID(milliseconds: WallClock.nowMilliseconds(), random: try RandomBytes.make(10))
        chain = TestChain(id)
        start = chain.next("debate_start", epoch: 0)
        slug = "debate-\(id.text.suffix(12))"
    }

    func debate() throws -> NewDebate {
        let spec = try DebateSpec(
            topic: topic, context: context,
            agents: agents.map { AgentSpec(name: $0, provider: .demo, model: "demo") }, timeoutSeconds: timeoutSeconds)
        return NewDebate(
            id: chain.debate, slug: slug, spec: spec, specDocument: Array("{}".utf8), metadata: Array(metadata.utf8),
            createdAt: createdAt, createdBy: "tester", organization: organization, engineVersion: engineVersion,
            priority: priority, start: start, recalled: recalled,
            idempotency: idempotency)
    }
}

/// Seals events that are linked, with data that nobody reads.
struct TestChain: Sendable {
    let debate: DebateID
    private(set) var tail: LogTail

    init(_ debate: DebateID) { self.init(debate, tail: LogTail(seq: 0, hash: SHA256.hash(debate.text))) }

    init(_ debate: DebateID, tail: LogTail) {
        self.debate = debate
        self.tail = tail
    }

    mutating func next(
        _ type: String, epoch: Int64, round: Int = 1, agent: String? = nil, call: CallReference? = nil,
        data: String? = nil
    ) -> SealedEvent {
        let seq = tail.seq + 1
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        let bytes = Array((data ?? "{\"content\":\"\(type) \(seq)\",\"debate_id\":\"\(debate)\"}").utf8)
        let dataHash = SHA256.hash(salt, bytes)
        let hash = SHA256.hash(tail.hash, dataHash)
        let event = SealedEvent(
            seq: seq, type: type, round: round, agent: agent, at: Timestamp(milliseconds: 1_790_000_000_123 + seq),
            epoch: epoch,
            data: bytes, salt: salt, dataHash: dataHash, prevHash: tail.hash, hash: hash, call: call)
        tail = LogTail(seq: seq, hash: hash)
        return event
    }

    /// A batch of one event that follows what the chain holds now, which moves on.
    mutating func batch(
        _ type: String = "agent_message", epoch: Int64, call: CallReference? = nil, outcomes: [CallSettlement] = []
    ) -> EventBatch {
        let previous = tail
        let event = next(type, epoch: epoch, agent: call == nil ? nil : "demo-1", call: call)
        return EventBatch(debate: debate, epoch: epoch, previous: previous, events: [event], outcomes: outcomes)
    }

    /// The end of a debate with all that belongs to it.
    mutating func end(
        _ status: DebateStatus = .completed, epoch: Int64, receipt: StoredReceipt? = nil, match: RatedMatch? = nil,
        answer: String? = nil, isKept: Bool = false
    ) -> (EventBatch, DebateConclusion) {
        let previous = tail
        var events: [SealedEvent] = []
        if receipt != nil { events.append(next("receipt_generated", epoch: epoch)) }
        events.append(next("debate_end", epoch: epoch))
        return (
            EventBatch(debate: debate, epoch: epoch, previous: previous, events: events),
            Self.conclusion(status, receipt, match, answer: answer, isKept: isKept)
        )
    }

    static func conclusion(
        _ status: DebateStatus, _ receipt: StoredReceipt? = nil, _ match: RatedMatch? = nil,
        answer: String? = nil, isKept: Bool = false
    ) -> DebateConclusion {
        DebateConclusion(
            status: status, consensus: nil,
            end: DebateEnd(
                status: status, reason: status == .completed ? nil : "told to",
                result: status == .completed ? answer ?? "Postgres" : nil,
                totalRounds: 3, roundsUsed: 2, consensusReached: status == .completed, confidence: Ratio(0.8125),
                duration: Ratio(12.5), cost: MicroUSD(4200)),
            receipt: receipt, match: match, isKept: isKept)
    }

    func receipt() throws -> StoredReceipt {
        StoredReceipt(
            id: ReceiptID(milliseconds: WallClock.nowMilliseconds(), random: try RandomBytes.make(10)), debate: debate,
            document: Array("{\"receipt\":1}".utf8), verdict: .approved, confidence: Ratio(0.8125),
            checksum: String(repeating: "ab", count: 32), isSigned: true,
            createdAt: Timestamp(milliseconds: 1_790_000_000_000))
    }
}

extension CallKey {
    static let first = CallKey(round: 1, phase: .propose, agent: "demo-1")
    static let second = CallKey(round: 1, phase: .propose, agent: "demo-2")

    var intent: CallIntent { CallIntent(key: self, agent: "demo-1", provider: .demo, model: "demo", round: 1) }
    func attempt(_ number: Int = 1) -> CallReference { CallReference(key: self, attempt: number) }
}

extension CallSettlement {
    static func answered(
        _ debate: DebateID, _ call: CallReference, _ content: String = "Postgres.", isFree: Bool = false
    ) -> CallSettlement {
        CallSettlement(
            debate: debate, reference: call,
            outcome: .answered(
                Answer(
                    content: content, provider: .demo, model: "demo-1b",
                    usage: Usage(inputTokens: 10, outputTokens: 20, cost: MicroUSD(30)), truncated: false)),
            latencyMilliseconds: 12, isFree: isFree)
    }

    static func failed(
        _ debate: DebateID, _ call: CallReference, _ kind: CallFailure.Kind = .overloaded, isFree: Bool = false
    ) -> CallSettlement {
        CallSettlement(
            debate: debate, reference: call, outcome: .failed(CallFailure(kind)), latencyMilliseconds: 5, isFree: isFree
        )
    }
}

extension Claim {
    init(adopted debate: DebateID, epoch: Int64) {
        self.init(
            debate: debate, epoch: epoch, kind: .adopted, engineVersion: .current, createdAt: Timestamp(milliseconds: 0)
        )
    }
}

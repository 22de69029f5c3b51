import Crypto
import Domain
import PostgresClient
import Sockets
import Platform
import Storage
import TestSupport
import Testing

@Suite(.needsPostgres)
struct DebateStoreTests {
    @Test("a created debate is found by id and slug, with everything that was asked")
    func found() async throws {
        try await Bench.with { bench in
            var draft = try Draft()
            draft.context = "We know SQL."
            draft.organization = "acme"
            draft.metadata = "{\"team\":\"blue\"}"
            #expect(try await bench.debates.create(try draft.debate()) == .created)
            let record = try await bench.record(draft.chain.debate)
            #expect(record == (try await bench.debates.debate(slug: draft.slug, within: .installation)))
            #expect(
                record.summary.topic == draft.topic && record.context == "We know SQL." && record.organization == "acme"
            )
            #expect(
                record.summary.agents == draft.agents && record.summary.rounds == 3 && record.summary.usesDemoAgents)
            #expect(record.status == .queued && record.epoch == 0 && record.tail == draft.chain.tail)
            #expect(record.summary.createdAt == draft.createdAt && record.summary.result == nil)
            #expect(String(decoding: record.metadata, as: UTF8.self) == "{\"team\": \"blue\"}")
            #expect(try await bench.events(draft.chain.debate) == [draft.start])
            #expect(try await bench.debates.debate(slug: "nothing", within: .installation) == nil)
            #expect(try await bench.debates.debate(try Draft().chain.debate, within: .installation) == nil)
        }
    }

    @Test("a slug is taken once")
    func slug() async throws {
        try await Bench.with { bench in
            _ = try await bench.debate { $0.slug = "taken" }
            var draft = try Draft()
            draft.slug = "taken"
            #expect(try await bench.debates.create(try draft.debate()) == .slugTaken)
            #expect(try await bench.count("debate_events") == 1)
        }
    }

    private static func request(_ body: String, key: String = "k1", principal: String = "ann") -> IdempotentRequest {
        IdempotentRequest(
            principal: principal, key: key, requestHash: SHA256.hash(body),
            answer: StoredAnswer(status: 200, body: Array("answer to \(body)".utf8)))
    }

    @Test("the same key gives the first answer; another request under it is a conflict; another principal is free")
    func idempotency() async throws {
        try await Bench.with { bench in
            func create(_ request: IdempotentRequest) async throws -> CreateOutcome {
                var draft = try Draft()
                draft.idempotency = request
                return try await bench.debates.create(try draft.debate())
            }
            let first = Self.request("one")
            #expect(try await create(first) == .created)
            #expect(try await create(first) == .replayed(first.answer))
            #expect(try await create(Self.request("two")) == .conflict)
            #expect(try await create(Self.request("two", principal: "bob")) == .created)
            #expect(try await bench.count("debates") == 2)
            _ = try await bench.pool.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
            #expect(try await create(Self.request("three")) == .created)
            _ = try await bench.debates.purgeIdempotencyKeys()
            #expect(try await bench.count("idempotency_keys") == 1)
        }
    }

    @Test("one request sent to two replicas at once makes one debate, and both get its answer")
    func twoPools() async throws {
        try await Bench.with { bench in
            let other = PGPool(configuration: bench.pool.configuration, loop: bench.pool.loop, log: .disabled)
            await other.start()
            let rival = Bench(other)
            for round in 0..<10 {
                let request = Self.request("body", key: "key-\(round)")
                @Sendable func create(_ bench: Bench) async throws -> CreateOutcome {
                    var draft = try Draft()
                    draft.idempotency = request
                    return try await bench.debates.create(try draft.debate())
                }
                async let one = create(bench)
                async let two = create(rival)
                let outcomes: Set = [try await one, try await two]
                #expect(outcomes == [.created, .replayed(request.answer)])
            }
            #expect(try await bench.count("debates") == 10)
            await other.close()
        }
    }

    @Test("who waits two seconds for the same key is told to try again")
    func busy() async throws {
        try await Bench.with { bench in
            let slow = try await PGConnection.open(bench.pool.configuration, loop: bench.pool.loop, log: .disabled)
            _ = try await slow.execute("BEGIN")
            _ = try await slow.execute(
                """
                INSERT INTO idempotency_keys (principal, key, request_hash, debate_id, status, body)
                VALUES ('ann', 'k1', sha256('x'), 'dbt_x', 200, 'x')
                """)
            var draft = try Draft()
            draft.idempotency = Self.request("one")
            #expect(try await bench.debates.create(try draft.debate()) == .busy)
            await slow.close()
            #expect(try await bench.count("debates") == 0)
        }
    }

    @Test("lists newest first, in pages, with every filter")
    func list() async throws {
        try await Bench.with { bench in
            func make(_ topic: String, _ minute: Int64, agents: [String] = ["demo-1", "demo-2"], org: String? = nil)
                async throws -> DebateID
            {
                try await bench.debate {
                    $0.topic = topic
                    $0.agents = agents
                    $0.organization = org
                    $0.createdAt = Timestamp(milliseconds: 1_790_000_000_000 + minute * 60_000)
                }.debate
            }
            let mongo = try await make("Is MongoDB a fit?", 1)
            let postgres = try await make("Is Postgres a fit?", 2, agents: ["claude", "gpt"], org: "acme")
            let tea = try await make("Tea or coffee?", 3)
            try await bench.end(mongo)
            func ids(_ change: (inout DebateFilter) -> Void) async throws -> [DebateID] {
                var filter = DebateFilter(within: .installation)
                change(&filter)
                return try await bench.debates.list(filter).items.map(\.id)
            }
            #expect(try await ids { _ in } == [tea, postgres, mongo])
            #expect(
                try await ids {
                    $0.limit = 1; $0.offset = 1
                } == [postgres])
            #expect(try await ids { $0.statuses = [.cancelled, .failed] } == [mongo])
            #expect(try await ids { $0.text = "fit mong" } == [mongo])
            #expect(try await ids { $0.text = "FIT?" } == [postgres, mongo])
            #expect(try await ids { $0.text = "' | & !( :*" } == [])
            #expect(try await ids { $0.agent = "claude" } == [postgres])
            #expect(try await ids { $0.agent = "demo" } == [tea, postgres, mongo])
            #expect(try await ids { $0.organization = "acme" } == [postgres])
            #expect(
                try await ids { $0.since = Timestamp(milliseconds: 1_790_000_000_000 + 120_000) } == [tea, postgres])
            #expect(try await ids { $0.until = Timestamp(milliseconds: 1_790_000_000_000 + 120_000) } == [mongo])
            #expect(try await bench.debates.list(DebateFilter(within: .installation)).total == 3)
            #expect(try await bench.debates.active(within: .installation).map(\.summary.id) == [tea, postgres])
        }
    }

    @Test("says where many logs stand in one question")
    func newest() async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let other = try await bench.debate()
            _ = try await bench.log.append(chain.batch(epoch: 1))
            let found = try await bench.debates.newest(of: [chain.debate, other.debate, try Draft().chain.debate])
            #expect(
                Set(found) == [
                    NewestEvent(debate: chain.debate, tail: chain.tail, status: .running),
                    NewestEvent(debate: other.debate, tail: other.tail, status: .queued),
                ])
            #expect(try await bench.debates.newest(of: []) == [])
            #expect(
                try await bench.debates.active(within: .installation).first { $0.summary.id == chain.debate }?.round
                    == 1)
        }
    }

    @Test("lists receipts by debate, verdict, risk, time and signature")
    func receipts() async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let receipt = try chain.receipt()
            let (batch, conclusion) = chain.end(epoch: 1, receipt: receipt)
            _ = try await bench.log.conclude(batch, conclusion)
            func count(_ change: (inout ReceiptFilter) -> Void) async throws -> Int {
                var filter = ReceiptFilter(within: .installation)
                change(&filter)
                let page = try await bench.receipts.list(filter)
                #expect(page.items.count == page.total)
                return page.total
            }
            #expect(try await count { $0.debate = chain.debate } == 1)
            #expect(
                try await count {
                    $0.verdict = .approved; $0.riskLevel = "LOW"; $0.signedOnly = true
                } == 1)
            #expect(try await count { $0.verdict = .needsReview } == 0)
            #expect(try await count { $0.since = receipt.createdAt } == 1)
            #expect(try await count { $0.until = receipt.createdAt } == 0)
            #expect(try await bench.pool.query("SELECT receipt_id FROM decision_receipts").count == 1)
            await #expect(throws: PGError.self) {
                try await bench.pool.execute("UPDATE receipts SET checksum = repeat('00', 32)")
            }
        }
    }

    @Test("knows which life of which log it is, and a restore begins a new one")
    func generation() async throws {
        try await Bench.with { bench in
            let store = InstallationStore(pool: bench.pool)
            let before = try await store.installation()
            #expect(before.generation == 1 && before.timeline >= 1 && before.systemIdentifier != 0)
            #expect(try await store.raiseGeneration() == 2)
            let after = try await store.installation()
            #expect(after.generation == 2 && after.systemIdentifier == before.systemIdentifier)
        }
    }

    @Test("walks all logs in order and finds what contradicts itself")
    func walk() async throws {
        try await Bench.with { bench in
            let walk = LogWalk(pool: bench.pool)
            var debates: [DebateID] = []
            for _ in 0..<5 { debates.append(try await bench.debate().debate) }
            debates.sort()
            let first = try await walk.debates(after: nil, limit: 3)
            #expect(first.map(\.debate) == Array(debates[..<3]))
            #expect(try await walk.debates(after: first.last?.debate).map(\.debate) == Array(debates[3...]))
            #expect(try await walk.events(of: debates[0], from: 1).count == 1)
            #expect(try await walk.contradictions() == [])
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET status = 'failed' WHERE debate_id = \(debates[0].text)")
            #expect(
                try await walk.contradictions() == ["an ended debate whose last event is not debate_end: \(debates[0])"]
            )
        }
    }

    @Test("counts the rows of every table in one snapshot")
    func rowCounts() async throws {
        try await Bench.with { bench in
            _ = try await bench.debate()
            let counts = try await bench.pool.withTransaction(.readOnlySnapshot) { try await TableCounts.rows(in: $0) }
            #expect(counts["debates"] == 1 && counts["debate_events"] == 1 && counts["agent_calls"] == 0)
            #expect(counts["schema_migrations"] == Int64(StorageMigrations.all.count))
            #expect(counts["debate_messages"] == nil)
        }
    }
}

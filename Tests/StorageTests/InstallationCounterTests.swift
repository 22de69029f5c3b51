import Domain
import Platform
import PostgresClient
import TestSupport
import Testing

@testable import Storage

/// What metrics show of the whole installation, and at what cost.
@Suite("InstallationCounter", .needsPostgres)
struct InstallationCounterTests {
    private static let timeout = Duration.seconds(30)

    private func counts(_ bench: Bench) async throws -> InstallationCounts {
        try await InstallationCounter(pool: bench.pool).read(timeout: Self.timeout)
    }

    @Test("an empty installation has nothing of anything")
    func empty() async throws {
        try await Bench.with { bench in
            let counts = try await counts(bench)
            #expect(
                counts.queue
                    == .init(running: 0, paused: 0, low: 0, normal: 0, high: 0, longestWait: .zero, oldestRunning: nil))
            #expect(counts.ends == .init(completed: 0, agreed: 0, failed: 0))
            #expect(counts.budgets == .init(limit: .zero, spent: .zero))
            #expect(counts.workers == 0 && counts.embeddedRunners == 0)
            #expect(counts.receipts == 0 && counts.oldestReceipt == nil)
        }
    }

    @Test("queued debates are counted by class of priority, and the oldest wait by Postgres's clock")
    func queue() async throws {
        try await Bench.with { bench in
            for priority in [-7, 0, 0, 1, 9, 9] { _ = try await bench.debate { $0.priority = priority } }
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET queued_at = now() - interval '90 seconds' WHERE priority = 1")
            let runner = try await bench.runner()
            _ = try await bench.runs.claim(runner: runner, limit: 1)
            let queue = try await counts(bench).queue
            #expect(queue.low == 1 && queue.normal == 2 && queue.high == 2 && queue.waiting == 5)
            #expect(queue.running == 1 && queue.paused == 0 && queue.oldestRunning != nil)
            #expect((.seconds(90) ... .seconds(120)).contains(queue.longestWait))
        }
    }

    @Test("ends are those of the last hour; a cancelled debate is neither success nor failure")
    func ends() async throws {
        try await Bench.with { bench in
            for status: DebateStatus in [.completed, .completed, .failed, .timeout, .cancelled] {
                try await bench.end(try await bench.debate().debate, as: status)
            }
            let longAgo = try await bench.debate().debate
            try await bench.end(longAgo, as: .failed)
            _ = try await bench.pool.execute("UPDATE debates SET completed_at = now()")
            _ = try await bench.pool.execute(
                "UPDATE debates SET completed_at = now() - interval '61 minutes' WHERE id = \(longAgo.text)")
            _ = try await bench.pool.execute(
                """
                UPDATE debates SET consensus_reached = false WHERE id =
                (SELECT debate_id FROM debate_runs WHERE status = 'completed' LIMIT 1)
                """)
            #expect(try await counts(bench).ends == .init(completed: 2, agreed: 1, failed: 2))
        }
    }

    @Test("budgets are those of running debates that have one, with what all their calls cost")
    func budgets() async throws {
        try await Bench.with { bench in
            let runner = try await bench.runner()
            let (chain, holding) = try await bench.held(by: runner)
            _ = try await bench.held(by: runner)  // without a budget
            let queued = try await bench.debate()
            // An escape that Postgres can not store as text must not be in the way.
            let spec = Array(
                #"{"persona":"\u0000 \"budget_micro_usd\":9","protocol":{"budget_micro_usd":2500000}}"#.utf8)
            for debate in [chain.debate, queued.debate] {
                _ = try await bench.pool.execute("UPDATE debates SET spec = \(spec) WHERE id = \(debate.text)")
            }
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent, CallKey.second.intent])
            try await bench.runs.settle([
                .answered(chain.debate, CallKey.first.attempt()), .answered(chain.debate, CallKey.second.attempt()),
            ])
            #expect(try await counts(bench).budgets == .init(limit: MicroUSD(2_500_000), spent: MicroUSD(60)))
        }
    }

    @Test("runners count while their lease lives, by kind")
    func runners() async throws {
        try await Bench.with { bench in
            _ = (try await bench.runner(), try await bench.runner())
            _ = try await bench.runner(lasting: -1)
            let embedded = try await bench.runner()
            _ = try await bench.pool.execute("UPDATE runners SET kind = 'embedded' WHERE id = \(embedded.text)")
            let counts = try await counts(bench)
            #expect(counts.workers == 2 && counts.embeddedRunners == 1)
        }
    }

    /// 20,000 ended debates, each with a receipt.
    private func fill(_ bench: Bench) async throws {
        for statement: SQL in [
            """
            INSERT INTO debates (id, slug, topic, spec, agents, providers, rounds, consensus, timeout_seconds, demo,
                                 created_by, created_at, consensus_reached, confidence, rounds_used, duration_seconds,
                                 completed_at, cost_micro_usd)
            SELECT 'dbt_' || lpad(n::text, 26, '0'), 'slug-' || n, 'topic', '{}', '{}', '{}', 1, 'majority', 600, true,
                   'tester', now() - n * interval '1 minute', true, 0.5, 1, 1, now() - n * interval '1 minute', 0
            FROM generate_series(1, 20000) n
            """,
            """
            INSERT INTO debate_runs (debate_id, status, engine_version, last_seq, last_hash, deadline, created_at,
                                     queued_at, last_progress_at)
            SELECT id, 'completed', 1, 1, decode(repeat('00', 32), 'hex'), now(), now(), now(), now() FROM debates
            """,
            """
            INSERT INTO receipts (id, debate_id, document, verdict, risk_level, confidence, checksum, is_signed, created_at)
            SELECT 'rcp_' || id, id, convert_to(repeat('receipt ', 100), 'UTF8'), 'APPROVED', 'LOW', 0.5,
                   repeat('0', 64), false, created_at FROM debates
            """,
        ] { _ = try await bench.pool.execute(statement) }
    }

    @Test("no part of it reads a large table")
    func plan() async throws {
        try await Bench.with { bench in
            try await fill(bench)
            for table in ["debates", "debate_runs", "receipts"] {
                _ = try await bench.pool.execute("ANALYZE \(raw: table)")
            }
            let plan = try await bench.pool.query("EXPLAIN \(InstallationCounter.statement)").map {
                try $0.text("QUERY PLAN")
            }
            // The others are empty here.
            let scans = plan.filter { $0.contains(/Seq Scan on (debates|debate_runs|receipts)/) }
            #expect(scans.isEmpty, "\(scans)")
            #expect(plan.contains { $0.contains("debates_completed_at") }, "\(plan)")
            #expect(plan.contains { $0.contains("receipts_created_at") })
        }
    }

    @Test("receipts are exact to a thousand, beyond that what Postgres estimates")
    func receipts() async throws {
        try await Bench.with { bench in
            try await fill(bench)
            _ = try await bench.pool.execute("DELETE FROM receipts WHERE id > 'rcp_dbt_' || lpad('1000', 26, '0')")
            let exact = try await counts(bench)
            #expect(exact.receipts == 1000)
            let oldest = try #require(exact.oldestReceipt)
            let age = Duration.milliseconds(WallClock.nowMilliseconds() - oldest.milliseconds)
            #expect((.seconds(60_000) ... .seconds(60_060)).contains(age))
        }
        try await Bench.with { bench in
            try await fill(bench)
            _ = try await bench.pool.execute("ANALYZE receipts")
            #expect((19_000...21_000).contains(try await counts(bench).receipts))
        }
    }
}

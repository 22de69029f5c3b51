import Domain
import Platform
import PostgresClient
import TestSupport
import Testing

@testable import Storage

/// Lists by participant or tag, among 20,000 debates: what many, few and none have.
@Suite("Lists of what few debates have", .needsPostgres, .timeLimit(.minutes(2)))
struct FewDebatesTests {
    /// Every debate has `gpt` and `openai`, every tenth `claude`, every hundredth the tag `old`; the oldest three `rare`.
    private func fill(_ bench: Bench) async throws {
        for statement: SQL in [
            """
            INSERT INTO debates (id, slug, topic, spec, agents, providers, tags, rounds, consensus, timeout_seconds, demo,
                                 created_by, created_at)
            SELECT 'dbt_' || lpad(n::text, 26, '0'), 'slug-' || n, 'topic', '{}',
                   ARRAY['gpt'] || CASE WHEN n % 10 = 0 THEN '{claude}'::text[] ELSE '{}' END
                       || CASE WHEN n > 19997 THEN '{rare}'::text[] ELSE '{}' END,
                   '{openai}', CASE WHEN n % 100 = 0 THEN '{old}'::text[] ELSE '{}' END, 1, 'majority', 600, true,
                   'tester', now() - n * interval '1 minute'
            FROM generate_series(1, 20000) n
            """,
            """
            INSERT INTO debate_runs (debate_id, status, engine_version, last_seq, last_hash, deadline, created_at,
                                     queued_at, last_progress_at)
            SELECT id, 'completed', 1, 1, decode(repeat('00', 32), 'hex'), now(), now(), now(), now() FROM debates
            """, "ANALYZE debates", "ANALYZE debate_runs",
        ] { _ = try await bench.pool.execute(statement) }
    }

    private func filter(_ agent: String?, tag: String? = nil, limit: Int = 20) -> DebateFilter {
        var filter = DebateFilter(within: .installation)
        (filter.agent, filter.tag, filter.limit) = (agent, tag, limit)
        return filter
    }

    @Test("a list has what it says, whether many, few or none have it")
    func lists() async throws {
        try await Bench.with { bench in
            try await fill(bench)
            let store = DebateStore(pool: bench.pool)
            for (agent, tag, total) in [
                ("gpt", nil, 20_000), ("openai", nil, 20_000), ("claude", nil, 2000), ("rare", nil, 3),
                ("nobody", nil, 0),
                (nil, "old", 200), (nil, "new", 0), ("gpt", "old", 200), ("claude", "old", 200), ("rare", "old", 1),
                ("nobody", "old", 0), ("claude", "new", 0),
            ] as [(String?, String?, Int)] {
                let name = "\(agent ?? "-") \(tag ?? "-")"
                let page = try await store.list(filter(agent, tag: tag))
                // Beyond the limit it says that there are more.
                #expect(page.total == min(total, DebateStore.maxCounted + 1), "\(name)")
                #expect(page.items.count == min(20, total), "\(name)")
                let times = page.items.map(\.createdAt)
                #expect(times == times.sorted { $0 > $1 }, "\(name)")
                let after = try await store.list(filter(agent, tag: tag), after: nil)
                #expect(after.items.map(\.id) == page.items.map(\.id), "\(name)")
                #expect(after.hasMore == (total > 20), "\(name)")
            }
            var rest: [DebateID] = []
            var cursor: DebateCursor?
            while true {
                let page = try await store.list(filter(nil, tag: "old", limit: 30), after: cursor)
                rest += page.items.map(\.id)
                guard page.hasMore, let last = page.items.last else { break }
                cursor = DebateCursor(last)
            }
            #expect(rest.count == 200 && Set(rest).count == 200)
        }
    }

    @Test("few is what the indexes say, exactly up to a thousand, and nothing else is read for it")
    func plan() async throws {
        try await Bench.with { bench in
            try await fill(bench)
            let store = DebateStore(pool: bench.pool)
            let nobody = try await store.few(filter("nobody"))
            #expect(nobody == [])
            #expect(try await store.few(filter("rare"))?.count == 3)
            #expect(try await store.few(filter(nil, tag: "old"))?.count == 200)
            #expect(try await store.few(filter("gpt", tag: "old"))?.count == 200)
            for many in ["gpt", "openai", "claude"] { #expect(try await store.few(filter(many)) == nil, "\(many)") }
            #expect(try await store.few(DebateFilter(within: .installation)) == nil)

            for (filter, index) in [(filter("nobody"), "debates_agents"), (filter(nil, tag: "new"), "debates_tags")] {
                let condition = try #require(filter.memberships.first)
                let answers = try await bench.pool.batch(
                    DebateStore.planning + [
                        "EXPLAIN (ANALYZE, TIMING off, SUMMARY off) \(DebateStore.probe(condition))"
                    ])
                let plan = try #require(answers.last).rows.map { try $0.text("QUERY PLAN") }
                #expect(plan.contains { $0.contains("Bitmap Index Scan on \(index)") }, "\(plan)")
                #expect(!plan.contains { $0.contains(/Seq Scan|Index Scan using|Rows Removed/) }, "\(plan)")
            }
            // And the list of a few goes to them by their keys, not through all by their time.
            let few = try #require(try await store.few(filter("rare")))
            let plan = try await bench.pool.query(
                """
                EXPLAIN SELECT d.id FROM \(raw: DebateRows.tables) WHERE \(filter("rare").condition(among: few))
                ORDER BY d.created_at DESC, d.id DESC LIMIT 20
                """
            ).map { try $0.text("QUERY PLAN") }
            #expect(
                !plan.contains { $0.contains("debates_created_at") || $0.contains("Seq Scan on debates") }, "\(plan)")
        }
    }
}

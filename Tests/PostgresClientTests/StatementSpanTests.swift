import Platform
import TestSupport
import Testing

@testable import PostgresClient

@Suite("Spans of statements", .timeLimit(.minutes(1)))
struct StatementSpanTests {
    @Test(
        "a statement is named by what it does and to which table, never by a value",
        arguments: [
            ("SELECT 1", "SELECT"), ("SELECT count(*) AS n FROM debates d WHERE d.id = $1", "SELECT debates"),
            ("INSERT INTO users (id) VALUES ($1)", "INSERT users"), ("UPDATE sessions SET a = 1", "UPDATE sessions"),
            ("DELETE FROM api_keys WHERE id = $1", "DELETE api_keys"), ("COMMIT", "COMMIT"), ("", ""),
            ("BEGIN ISOLATION LEVEL READ COMMITTED", "BEGIN"),
            ("SELECT substring(x FROM 2 FOR 4) FROM debate_runs", "SELECT debate_runs"),
            ("WITH due AS (SELECT id FROM webhook_outbox) UPDATE webhook_outbox o SET a = 1", "UPDATE webhook_outbox"),
            ("WITH a AS (SELECT 1) SELECT * FROM a", "SELECT a"), ("SELECT set_config('a', 'off', true)", "SELECT"),
            ("\n  SELECT 'FROM secret'\n  FROM receipts", "SELECT receipts"),
        ])
    func summary(text: String, name: String) { #expect(SQL(text: text).summary == name) }

    private func traced(
        _ body: () async throws -> Void, spans most: Int = TraceScope.maxSpans
    ) async throws -> [Span] {
        let tracer = Tracer(sampler: try #require(TraceSampler("always_on", share: 1)), capacity: 1000)
        let parent = TraceContext.random(isSampled: true)
        try await TraceScope.$current.withValue(TraceScope(tracer, parent: parent)) { try await body() }
        let spans = tracer.take(1000).spans
        #expect(spans.allSatisfy { $0.context.trace == parent.trace && $0.parent == parent.span && $0.kind == .client })
        return spans
    }

    @Test("each round trip of a recorded request is a span; values are nowhere in it", .needsPostgres)
    func roundTrips() async throws {
        try await TestDatabase.withSchema { pool, _ in
            _ = try await pool.execute("CREATE TABLE things (id bigint PRIMARY KEY, name text)")
            let value = "a secret value"
            let spans = try await traced {
                _ = try await pool.execute("INSERT INTO things VALUES (1, \(value))")
                _ = try await pool.batch(["SELECT set_config('a.b', \(value), true)", "SELECT name FROM things"])
                try await pool.withTransaction { transaction in
                    _ = try await transaction.query("SELECT name FROM things WHERE name = \(value)")
                    _ = try await transaction.execute("UPDATE things SET name = \(value)")
                }
                await #expect(throws: PGError.self) {
                    try await pool.execute("INSERT INTO things VALUES (1, \(value))")
                }
            }
            #expect(
                spans.map(\.name) == [
                    "INSERT things", "SELECT things", "SELECT things", "UPDATE things", "COMMIT", "INSERT things",
                ])
            #expect(spans.map(\.failure) == [nil, nil, nil, nil, nil, "23505"])
            #expect(spans[1].attributes.contains(.init("db.operation.batch.size", 2)))
            for span in spans {
                #expect(span.attributes.contains(.init("db.system.name", "postgresql")))
                #expect(!"\(span)".contains("secret"))
            }
        }
    }

    @Test("a scope has so many spans and no more; outside one there are none", .needsPostgres)
    func bounded() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let spans = try await traced {
                for _ in 0..<TraceScope.maxSpans + 20 { _ = try await pool.query("SELECT 1") }
            }
            #expect(spans.count == TraceScope.maxSpans)
            #expect(StatementSpan(["SELECT 1"]) == nil)
        }
    }
}

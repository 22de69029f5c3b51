import Contracts
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

@Suite("Rows whose time is over", .needsPostgres, .timeLimit(.minutes(1)))
struct HousekeeperTests {
    private func count(_ api: APIFixture, _ table: String) async throws -> Int {
        try await api.pool.query("SELECT count(*) AS n FROM \(raw: table)")[0].int("n")
    }

    @Test("are removed, those of yesterday and no others, and counted by their kind")
    func removed() async throws {
        try await APIFixture.with { api in
            let person = try await api.register("person@example.org")
            let body = #"{"topic":"Is this kept?","agents":["demo","demo"]}"#
            for key in ["old", "new"] {
                _ = try await api.send("POST", "/api/debates", body, headers: ["Idempotency-Key": key])
            }
            let debate = try #require(try await api.get("/api/debates").json["debates"]?.array?.first?["id"]?.string)
            for _ in 0..<2 {
                #expect(try await api.send("POST", "/api/debates/\(debate)/share").status == 200)
                _ = try await api.post(
                    "/api/auth/login", #"{"email":"person@example.org","password":"wrong"}"#, as: person)
            }
            _ = try await api.send("POST", "/api/auth/logout", token: person.access)
            for change in [
                "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'",
                "UPDATE debate_shares SET expires_at = now() - interval '2 days' WHERE ctid = (SELECT min(ctid) FROM debate_shares)",
                "UPDATE sessions SET expires_at = now() - interval '31 days'",
                "UPDATE revoked_tokens SET expires_at = now() - interval '2 hours'",
                "UPDATE login_failures SET last_at = now() - interval '25 hours'",
            ] { _ = try await api.pool.execute("\(raw: change)") }
            let answer = try await api.send("POST", "/api/queue/cleanup")
            let removed = answer.json["removed"]
            #expect(answer.json["idempotency_keys"]?.int == 1 && answer.json["expired_shares"]?.int == 1)
            #expect(removed?["sessions"]?.int == 1 && (removed?["revoked_tokens"]?.int ?? 0) >= 1, "\(answer.text)")
            #expect((removed?["login_failures"]?.int ?? 0) >= 1)
            for (table, left) in [
                ("idempotency_keys", 1), ("debate_shares", 1), ("sessions", 0), ("revoked_tokens", 0),
            ] {
                #expect(try await count(api, table) == left, "\(table)")
            }
            let metrics = api.context.metrics.render()
            #expect(metrics.contains(#"aragora_expired_rows_removed_total{rows="idempotency_keys"} 1"#))
            #expect(metrics.contains("aragora_housekeeping_last_timestamp"))
            #expect(try await api.send("POST", "/api/queue/cleanup").json["idempotency_keys"]?.int == 0)
        }
    }

    @Test("are left to the one process that is at it, and a pass takes a bounded number of them")
    func elected() async throws {
        try await APIFixture.with { api in
            let rows = ExpiredRows(pool: api.backends.main.postgres)
            let debate = try await api.create()
            _ = try await api.pool.execute(
                """
                INSERT INTO idempotency_keys (principal, key, request_hash, debate_id, status, body, created_at)
                SELECT 'somebody', n::text, sha256('x'), \(debate), 200, '', now() - interval '2 days'
                FROM generate_series(1, \(ExpiredRows.batch * ExpiredRows.batches + 5)) AS n
                """)
            try await api.pool.withTransaction { other in
                _ = try await other.query(
                    "SELECT pg_advisory_xact_lock(hashtextextended('aragora expired rows of ' || current_schema(), 0))")
                let meanwhile = try await rows.remove()
                #expect(meanwhile == nil)
            }
            #expect(try await rows.remove()?[.idempotencyKeys] == ExpiredRows.batch * ExpiredRows.batches)
            #expect(try await rows.remove()?[.idempotencyKeys] == 5)
        }
    }
}

import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// What a scrape of the API says, after real requests and real debates.
@Suite("Installation metrics", .needsPostgres, .timeLimit(.minutes(1)))
struct InstallationMetricsTests {
    private func look(_ api: APIFixture) async {
        let metrics = InstallationMetrics(
            stores: api.routes.create.stores, metrics: api.context.metrics, levels: api.levels, log: .disabled)
        await metrics.look()
    }

    /// The value of one line of a scrape of `/metrics`.
    private func scraped(_ api: APIFixture) async throws -> (String) -> Double? {
        let lines = try await api.get("/metrics").text.split(separator: "\n")
        return { series in
            lines.first { $0.hasPrefix(series + " ") }.flatMap { Double($0.dropFirst(series.count + 1)) }
        }
    }

    @Test("the queue, the ends and the receipts of the installation are what Postgres holds")
    func installation() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            await look(api)
            var value = try await scraped(api)
            #expect(value("aragora_consensus_rate")?.isNaN == true)
            #expect(value("aragora_receipts_stored") == 0 && value("aragora_receipt_oldest_timestamp") == 0)
            let finished = try await api.create()
            try await api.finish(finished)
            _ = (try await api.create(), try await api.create())
            let failed = try await api.create()
            _ = try await api.send("POST", "/api/debates/\(failed)/cancel")
            _ = try await api.pool.execute(
                "UPDATE debate_runs SET queued_at = now() - interval '40 seconds' WHERE status = 'queued'")
            await look(api)
            value = try await scraped(api)
            #expect(value("aragora_debates_waiting") == 2)
            #expect(value(#"aragora_queue_depth{priority="normal"}"#) == 2)
            #expect(value(#"aragora_queue_depth{priority="high"}"#) == 0)
            #expect(value("aragora_control_plane_queue_depth") == 2)
            #expect((40...60).contains(value("aragora_queue_oldest_seconds") ?? -1))
            #expect([0, 1].contains(value("aragora_consensus_rate")))
            #expect(value("aragora_receipts_stored") == 1)
            let oldest = try await api.pool.query(
                "SELECT extract(epoch FROM min(created_at))::bigint AS s FROM receipts")
            #expect(abs((value("aragora_receipt_oldest_timestamp") ?? 0) - Double(try oldest[0].int64("s"))) <= 1)
            #expect(value(#"aragora_slo_compliance{slo_name="debate_success"}"#) == 1)
            #expect(value(#"aragora_slo_compliance{slo_name="database"}"#) == 1)
        }
    }

    @Test("a cancel is counted once, by the API that ended the debate; asking again counts nothing")
    func cancelled() async throws {
        try await APIFixture.with { api in
            let debate = try await api.create()
            #expect(try await api.send("POST", "/api/debates/\(debate)/cancel").status == 200)
            #expect(try await api.send("POST", "/api/debates/\(debate)/cancel").status == 400)
            #expect(api.context.metrics.value(.debatesEnded, ["cancelled"]) == 1)
            #expect(api.context.metrics.value(.debatesStarted) == 1)
        }
    }

    @Test("a debate that failed spends the budget of debate success")
    func failed() async throws {
        try await APIFixture.with { api in
            let debate = try await api.create()
            _ = try await api.send("POST", "/api/debates/\(debate)/cancel")
            // By hand, since the trigger lets no end change: as if it had failed.
            _ = try await api.pool.execute("ALTER TABLE debate_runs DISABLE TRIGGER debate_runs_only_forward")
            _ = try await api.pool.execute("UPDATE debate_runs SET status = 'failed'")
            await look(api)
            let value = try await scraped(api)
            #expect(value(#"aragora_slo_compliance{slo_name="debate_success"}"#) == 0)
            #expect(abs((value(#"aragora_slo_burn_rate{slo_name="debate_success"}"#) ?? 0) - 20) < 1e-6)
            #expect(value(#"aragora_slo_error_budget_remaining{slo_name="debate_success"}"#) == 0)
        }
    }

    @Test("while Postgres is away the database objective is not met, and what was counted stays")
    func away() async throws {
        try await APIFixture.with(dsn: { _ in "postgres://nobody@127.0.0.1:1/none?connect_timeout=1" }) { api in
            api.context.metrics.set(.debatesWaiting, to: 7)
            await look(api)
            let value = try await scraped(api)
            #expect(value(#"aragora_slo_compliance{slo_name="database"}"#) == 0)
            #expect(value("aragora_debates_waiting") == 7)
            _ = await api.context.health.report()
            #expect(api.context.metrics.value(.postgresUp) == 0)
        }
    }

    @Test("a refused request shows under its route, and as a hit of the limit")
    func rateLimited() async throws {
        try await APIFixture.with(["ARAGORA_RATE_LIMIT": "2"]) { api in
            for _ in 0..<3 { _ = try await api.get("/api/debates") }
            let value = try await scraped(api)
            for name in ["aragora_requests_total", "aragora_http_requests_total"] {
                #expect(value(name + #"{method="GET",handler="/api/debates",status="429"}"#) == 1)
                #expect(value(name + #"{method="GET",handler="/api/debates",status="200"}"#) == 2)
            }
            #expect(value(#"aragora_rate_limit_hits_total{scope="http"}"#) == 1)
            #expect(value(#"aragora_slo_compliance{slo_name="availability"}"#) == 1, "a 429 is no failure of ours")
        }
    }

    @Test("Postgres answers, and the pool says what it has")
    func postgres() async throws {
        try await APIFixture.with { api in
            _ = await api.context.health.report()
            let value = try await scraped(api)
            #expect(try await api.backends.main.postgres.query("SHOW jit")[0].text("jit") == "off")
            #expect(value("aragora_postgres_up") == 1)
            #expect(value("aragora_postgres_pool_size") == 4)
            #expect(value("aragora_postgres_pool_waiting") == 0)
        }
    }
}

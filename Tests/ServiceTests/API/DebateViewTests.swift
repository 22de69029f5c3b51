import Contracts
import PostgresClient
import TestSupport
import Testing

@testable import aragora_api

@Suite("A debate seen from several sides", .needsPostgres, .timeLimit(.minutes(2)))
struct DebateViewTests {
    @Test("a finished debate has rounds, votes, agents, positions, a summary, an explanation, diagnostics")
    func finished() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let id = try await api.create("Is one database enough?")
            try await api.finish(id)
            func view(_ name: String) async throws -> JSONValue {
                try await api.get("/api/v1/debates/\(id)/\(name)").json
            }

            let whole = try await api.get("/api/debates/\(id)").json
            let rounds = try await view("rounds")
            #expect(rounds["rounds"]?.array?.count == 1)
            #expect(rounds["rounds"]?.array?.first?["proposals"]?.int == 2)
            let votes = try await view("votes")
            #expect(votes["votes"]?.array?.count == 2 && votes["sealed_votes"]?.array?.count == 2)
            #expect(votes["total"]?.int == 2)
            let agents = try await view("agents")
            #expect(agents["agents"]?.array?.compactMap { $0["name"]?.string } == ["demo-1", "demo-2"])
            #expect(agents["agents"]?.array?.allSatisfy { $0["status"]?.string == "ok" } == true)
            let positions = try await view("positions")
            #expect(positions["positions"]?.array?.first?["positions"]?.array?.isEmpty == false)
            let summary = try await view("summary")
            #expect(summary["final_answer"]?.string == whole["final_answer"]?.string)
            #expect(summary["title"]?.string == "Is one database enough?")
            #expect(summary["key_points"]?.array?.isEmpty == false)
            let why = try await view("explain")
            #expect(why == (try await view("explainability")))
            let factors = why["factors"]?.array ?? []
            #expect(
                factors.contains {
                    $0["name"]?.string == "agreement" && $0["value"]?.double == whole["agreement"]?.double
                })
            #expect(why["provenance"]?.array?.last?["kind"]?.string == "decision")
            let seq = try #require(why["provenance"]?.array?.last?["seq"]?.int)
            let event = try await api.get("/api/debates/\(id)/events?since=\(seq - 1)&limit=1").json
            #expect(event["events"]?.array?.first?["type"]?.string == "consensus")
            let impasse = try await view("impasse")
            #expect(impasse["is_impasse"]?.bool == (whole["consensus_reached"]?.bool == false))
            let diagnostics = try await view("diagnostics")
            #expect(diagnostics["receipt_generated"]?.bool == true)
            #expect(
                diagnostics["suggestions"]?.array?.contains { $0.string?.contains("demonstration") == true } == true)
        }
    }

    @Test("every view answers before anything was said, and 404 for no debate")
    func empty() async throws {
        try await APIFixture.with { api in
            let id = try await api.create()
            for route in Routes.viewRoutes {
                let target = route.path.replacing("{id}", with: id)
                #expect(try await api.get(target).status == 200, "\(target)")
                let none = try await api.get(route.path.replacing("{id}", with: APIAccessTests.someDebate))
                #expect(none.status == 404 && none.code == "debate_not_found", "\(target)")
            }
        }
    }

    @Test(
        "what is below a debate and is no route is a plain 404, not a debate",
        arguments: ["consensu", "graph", "a/b", "explain/x"])
    func unknown(part: String) async throws {
        try await APIFixture.with { api in
            let id = try await api.create()
            let answer = try await api.get("/api/v1/debates/\(id)/\(part)")
            #expect(answer.status == 404 && answer.code == "not_found")
            #expect(answer.json["error"]?.string == "API endpoint not found: /api/v1/debates/\(id)/\(part)")
        }
    }

    @Test("statistics count what there is, by status and by model")
    func statistics() async throws {
        try await APIFixture.with(["ARAGORA_EMBEDDED_RUNNER": "on"]) { api in
            let empty = try await api.get("/api/debates/stats").json
            #expect(empty["total"]?.int == 0 && empty["consensus_rate"]?.isNull == true)
            let id = try await api.create()
            _ = try await api.create("Will the second one wait?")
            try await api.finish(id)
            let stats = try await api.get("/api/v1/debates/statistics?days=1").json
            #expect(stats["total"]?.int == 2)
            #expect(stats["completed"]?.int ?? 0 >= 1)
            let models = try await api.get("/api/debates/stats/agents").json
            let row = try #require(models["agents"]?.array?.first)
            #expect(row["provider"]?.string == "demo" && row["calls"]?.int ?? 0 > 4 && row["failures"]?.int == 0)
        }
    }

    @Test("the queue tells its jobs and its workers to administrators")
    func queue() async throws {
        try await APIFixture.with { api in
            let id = try await api.create("Who runs this one?")
            let jobs = try await api.get("/api/queue/jobs?status=pending").json
            #expect(jobs["jobs"]?.array?.compactMap { $0["debate_id"]?.string } == [id])
            #expect(try await api.get("/api/queue/jobs?status=running").json["total"]?.int == 0)
            #expect(try await api.get("/api/queue/jobs?status=over").fields == ["status"])
            #expect(try await api.get("/api/queue/stale").json["total"]?.int == 0)
            #expect(try await api.get("/api/queue/workers").json["workers"]?.array?.isEmpty == true)
            #expect(try await api.get("/api/queue/stats").json["pending"]?.int == 1)
            let member = APIFixture.signedToken("")
            #expect(try await api.get("/api/queue/jobs", token: member).status == 403)
            #expect(try await api.send("POST", "/api/queue/cleanup", token: member).status == 403)
            _ = try await api.pool.execute("UPDATE idempotency_keys SET created_at = now() - interval '2 days'")
            let cleaned = try await api.send("POST", "/api/queue/cleanup").json
            #expect(cleaned["idempotency_keys"]?.int == 0)
        }
    }
}

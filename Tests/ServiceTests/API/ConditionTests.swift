import Contracts
import Domain
import Messaging
import Platform
import PostgresClient
import RedisClient
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// What those who look after an installation are shown, and what they may do about what was given up.
@Suite("The installation's condition", .needsPostgres, .timeLimit(.minutes(1)))
struct ConditionTests {
    private static let rules = ProviderBoard.Rules(
        failures: 5, windowMilliseconds: 60_000, cooldownMilliseconds: 60_000, maxInFlight: 8, leaseMilliseconds: 60_000
    )

    private func board(_ api: APIFixture) throws -> ProviderBoard {
        ProviderBoard(connection: api.backends.main.redis, keyspace: try #require(api.backends.keyspace.current))
    }

    private func fails(_ board: ProviderBoard, _ result: ProviderBoard.Result, times: Int) async throws {
        for _ in 0..<times {
            try #require(
                await board.leave("demo", call: "x", rules: Self.rules, result: result, pauseMilliseconds: 0) != nil)
        }
    }

    @Test(
        "three failures that any processes saw make an agent unhealthy, five open its breaker; the API shows both",
        .needsRedis)
    func health() async throws {
        try await APIFixture.with(redisURL: TestSupport.Backends.redisURL) { api in
            let board = try board(api)
            let before = try await api.get("/api/v1/agents/health")
            #expect(before.json["agents"]?.array?.first?["status"]?.string == "healthy", "\(before.text)")
            try await fails(board, .failed, times: 3)
            let sick = try await api.get("/api/agents/health").json["agents"]?.array?.first
            #expect(sick?["status"]?.string == "unhealthy" && sick?["failures"]?.int == 3)
            #expect(sick?["circuit_breaker"]?.string == "closed" && sick?["failure_threshold"]?.int == 5)
            let agent = try await api.get("/api/agents").json["agents"]?.array?.first {
                $0["provider"]?.string == "demo"
            }
            #expect(agent?["healthy"]?.bool == false && agent?["circuit_breaker"]?.string == "closed")
            try await fails(board, .failed, times: 2)
            for path in ["/api/circuit-breakers", "/api/v1/health/circuits"] {
                let breakers = try await api.get(path).json
                let demo = breakers["circuit_breakers"]?["demo"]
                #expect(demo?["status"]?.string == "open" && breakers["summary"]?["open"]?.int == 1)
                #expect(((demo?["cooldown_remaining"]?.double ?? 0) - 60).magnitude < 10)
            }
            try await fails(board, .succeeded, times: 1)
            #expect(try await api.get("/api/agents/health").json["healthy"]?.int == 0)
            try await fails(board, .succeeded, times: 1)
            #expect(try await api.get("/api/agents/health").json["healthy"]?.int == 1)
        }
    }

    @Test("without Redis, and before anybody was asked, everything is as it is when nothing failed")
    func withoutRedis() async throws {
        try await APIFixture.with { api in
            let breakers = try await api.get("/api/v1/circuit-breakers").json
            #expect(breakers["summary"]?["closed"] == breakers["summary"]?["total"])
            let readiness = try await api.get("/api/v1/readiness").json
            #expect(readiness["ready_to_debate"]?.bool == true && readiness["demo"]?.bool == true)
            #expect(readiness["providers"]?["openai"]?["available"]?.bool == false)
            #expect(readiness["storage"]?["status"]?.string == "connected")
            let detailed = try await api.get("/api/v1/health/detailed").json
            #expect(detailed["checks"]?["database"]?["status"]?.string == "ok")
        }
        let token = String(repeating: "t", count: 32)
        let production = [
            "ARAGORA_ENV": "production", "ARAGORA_JWT_SECRET": String(repeating: "s", count: 32),
            "ARAGORA_API_TOKEN": token,
        ]
        try await APIFixture.with(production) { api in
            let readiness = try await api.get("/api/readiness", token: token).json
            #expect(readiness["ready_to_debate"]?.bool == false)
            #expect(readiness["missing_required"]?.array?.first?.string == "no AI provider is configured")
        }
    }

    @Test("workers and debates without progress are listed, the latter by how long that is")
    func workers() async throws {
        try await APIFixture.with { api in
            #expect(try await api.get("/api/health/workers").json["status"]?.string == "unhealthy")
            let debate = try await api.create()
            _ = try await api.pool.execute(
                "UPDATE debate_runs SET status = 'running', lease_owner = 'run_01kdyqrq00000000000000000a', last_progress_at = now() - interval '100 seconds'"
            )
            let slow = try await api.get("/api/v1/health/slow-debates").json
            #expect(slow["slow_debates"]?.array?.first?["debate_id"]?.string == debate)
            #expect(slow["status"]?.string == "degraded" && slow["threshold_seconds"]?.int == 60)
            #expect(try await api.get("/api/health/slow-debates?threshold_seconds=200").json["total"]?.int == 0)
            #expect(try await api.get("/api/health/slow-debates?threshold_seconds=0").status == 400)
        }
    }

    @Test("what was given up is asked for again, once, in the name of who asked for it", .needsRedis)
    func requeued() async throws {
        try await APIFixture.with(redisURL: TestSupport.Backends.redisURL) { api in
            let person = try await api.register("asks@example.org")
            let asked = try await api.post(
                "/api/debates", #"{"topic":"Was this given up?","agents":["demo","demo"],"rounds":1}"#, as: person)
            let debate = try #require(asked.json["debate_id"]?.string)
            #expect(try await api.send("POST", "/api/debates/\(debate)/cancel").status == 200)
            let bell = Doorbell(
                connection: api.backends.main.redis, keyspace: try #require(api.backends.keyspace.current))
            try await bell.bury(try #require(DebateID(debate)), reason: "adopted five times")
            let waiting = try await api.create("Is this one not over?")
            try await bell.bury(try #require(DebateID(waiting)), reason: "not readable")
            let one = try await api.send(
                "POST", "/api/v1/queue/dlq/requeue", #"{"job_ids":["\#(debate)","dbt_none"]}"#)
            #expect(one.json["count"]?.int == 1, "\(one.text)")
            #expect(one.json["skipped"]?.array?.first?["job_id"]?.string == "dbt_none")
            let again = try #require(one.json["requeued"]?.array?.first?["debate_id"]?.string)
            let record = try await api.get("/api/debates/\(again)", token: person.access)
            #expect(again != debate && record.json["task"]?.string == "Was this given up?")
            let rest = try await api.send("POST", "/api/queue/dlq/requeue")
            #expect(rest.json["requeued"]?.array?.first?["debate_id"]?.string == waiting, "\(rest.text)")
            #expect(try await api.send("POST", "/api/queue/dlq/requeue").json["count"]?.int == 0)
            #expect(try await api.get("/api/queue/dlq").json["total"]?.int == 0)
            #expect(try await api.send("POST", "/api/queue/dlq/requeue", #"{"job_ids":1}"#).status == 400)
        }
    }

    @Test("an intervention says something, sets a condition, pauses, resumes or stops; and is in the log")
    func intervene() async throws {
        try await APIFixture.with { api in
            let debate = try await api.create()
            let path = "/api/v1/debates/\(debate)/intervene"
            func say(_ body: String) async throws -> Answer { try await api.send("POST", path, body) }
            let remark = try await say(#"{"type":"message","content":"Think of the cost.","apply_at_round":1}"#)
            #expect(
                remark.status == 200 && remark.json["message"]?.string?.contains("round 1") == true, "\(remark.text)")
            #expect(try await say(#"{"type":"constraint","content":"It must run offline."}"#).status == 200)
            #expect(try await say(#"{"type":"pause"}"#).json["status"]?.string == "paused")
            #expect(try await api.get("/api/debates/\(debate)").json["status"]?.string == "paused")
            #expect(try await say(#"{"type":"resume"}"#).status == 200)
            for body in [
                #"{"type":"shout","content":"x"}"#, #"{"type":"message"}"#, "[]",
                #"{"type":"message","content":"x","apply_at_round":9}"#,
            ] {
                #expect(try await say(body).status == 400, "\(body)")
            }
            #expect(try await say(#"{"type":"stop"}"#).json["status"]?.string == "cancelled")
            let late = try await say(#"{"type":"message","content":"Too late?"}"#)
            #expect(late.status == 400 && late.code == "debate_already_finished")
            let events = try await api.get("/api/debates/\(debate)/events").json["events"]?.array ?? []
            let said = events.filter { $0["type"]?.string == "user_message" }.compactMap {
                $0["data"]?["content"]?.string
            }
            #expect(said == ["Think of the cost.", "It must run offline."])
            #expect(events.last?["type"]?.string == "debate_end")
            #expect(try await api.send("POST", path, #"{"type":"pause"}"#, token: nil).status == 401)
        }
    }
}

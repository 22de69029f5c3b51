import Contracts
import HTTP
import Platform
import Sockets
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

@Suite("The edges of the API", .needsPostgres, .timeLimit(.minutes(3)))
struct APIEdgeTests {
    @Test(
        "an unknown path below a debate is a flat 404 that names it",
        arguments: [
            "/api/v1/debates/dbt_01kdyqrq00000000000000000a/nothing", "/api/v2/nothing", "/nothing", "/api", "/api/v1",
            "/api/v1/", "//", "/api//debates",
            "/api/debates/a/b/c/d", "/api/v3/debates",
        ])
    func unknown(path: String) async throws {
        try await APIFixture.with { api in
            for token in [nil, APIFixture.token] {
                let answer = try await api.get(path, token: token)
                #expect(answer.status == 404 && answer.code == "not_found", "\(answer.text)")
                #expect(answer.json["error"]?.string == "API endpoint not found: \(path)")
                #expect(answer.json["trace_id"]?.string?.utf8.count == 32)
            }
        }
    }

    @Test("a wrong method is 405 with Allow, also without a credential")
    func methods() async throws {
        try await APIFixture.with { api in
            for (method, path, allow) in [
                ("DELETE", "/api/v1/debates", "GET, HEAD, POST"), ("PUT", "/api/debates/x/cancel", "POST"),
                ("BREW", "/readyz", "GET, HEAD"),
            ] {
                let answer = try await api.send(method, path, token: nil)
                #expect(
                    answer.status == 405 && answer.code == "method_not_allowed" && answer.header("Allow") == allow,
                    "\(answer.head)")
            }
            let head = try await api.send("HEAD", "/api/debates")
            #expect(
                head.status == 200 && head.text.isEmpty && head.header("Content-Length").flatMap { Int($0) } ?? 0 > 10)
            #expect(try await api.send("HEAD", "/api/debates", token: nil).status == 401)
        }
    }

    @Test(
        "an id that a client gives is echoed when it is harmless, else a new one is made",
        arguments: [
            ("abc-DEF_1.2", true), (String(repeating: "x", count: 128), true),
            (String(repeating: "x", count: 129), false), ("a b", false),
            ("a\"b", false), ("é", false), ("", false), ("{}", false),
        ])
    func requestID(given: String, isTaken: Bool) async throws {
        try await APIFixture.with { api in
            let answer = try await api.send("GET", "/healthz", headers: ["X-Request-ID": given])
            let echoed = try #require(answer.header("X-Request-ID"))
            #expect((echoed == given) == isTaken)
            #expect(isTaken || echoed.wholeMatch(of: /req_[0-9a-f]{24}/) != nil)
            #expect(api.log.lines.contains { $0.contains("\"request_id\":\"\(echoed)\"") })
        }
    }

    @Test("a trace that a client began goes on in the answer and in an error's body")
    func trace() async throws {
        try await APIFixture.with { api in
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            let answer = try await api.send(
                "GET", "/api/nothing", headers: ["traceparent": "00-\(trace)-00f067aa0ba902b7-01"])
            #expect(answer.header("X-Trace-ID") == trace && answer.json["trace_id"]?.string == trace)
            for bad in ["00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01", "nonsense", "00-zz-1-1"] {
                let fresh = try await api.send("GET", "/healthz", headers: ["traceparent": bad])
                #expect(fresh.header("X-Trace-ID")?.wholeMatch(of: /[0-9a-f]{32}/) != nil)
            }
        }
    }

    @Test("a body over a mebibyte is 413, a head that is none 400, each flat and with a trace id")
    func refusedEarly() async throws {
        try await APIFixture.with { api in
            let large = try await api.send("POST", "/api/debates", String(repeating: " ", count: 1 << 20) + "{}")
            #expect(large.status == 413 && large.code == "body_too_large")
            #expect(large.json["trace_id"]?.string?.utf8.count == 32)
            let broken = try Answer(
                try await Exchange.run(api.loop, api.address, Array("GET / HTTP/1.1\nHost: a\n\n".utf8)))
            #expect(broken.status == 400 && broken.code == "bad_request")
            #expect(broken.json["trace_id"]?.string?.utf8.count == 32)
        }
    }

    @Test("/ws without a gateway, or with one that is away, is 502 with a flat body")
    func tunnelAway() async throws {
        let upgrade = [
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ]
        for environment in [[:], ["ARAGORA_WS_UPSTREAM": "127.0.0.1:\(FreePort.pick())"]] {
            try await APIFixture.with(environment) { api in
                let lines = upgrade.map { "\($0.key): \($0.value)\r\n" }.joined()
                let text = "GET /ws?token=x HTTP/1.1\r\nHost: a\r\n\(lines)\r\n"
                // Half of the connection stays open after a refused upgrade; the answer says that it ends.
                let answer = try Answer(
                    try await Exchange.run(
                        api.loop, api.address,
                        Array(text.replacing("Connection: Upgrade", with: "Connection: Upgrade, close").utf8)))
                #expect(answer.status == 502 && answer.code == "upstream_unavailable", "\(answer.text)")
            }
        }
    }

    @Test("the health family tells what it should to whom it should")
    func health() async throws {
        try await APIFixture.with { api in
            for token in [nil, APIFixture.token] {
                #expect(try await api.get("/healthz", token: token).json == ["status": "ok"])
                for path in ["/readyz", "/ready", "/api/ready", "/api/v1/ready"] {
                    let answer = try await api.get(path, token: token)
                    #expect(answer.status == 200 && answer.json["status"]?.string == "ready", "\(path)")
                }
            }
            let ready = try await api.get("/api/ready", token: nil).json
            #expect(ready["database"]?.string == "connected" && ready["agents"]?.string == "available")
            for path in ["/health", "/api/health", "/api/v1/health"] {
                let short = try await api.get(path, token: nil).json
                #expect(short["checks"] == nil && short["version"]?.string == BuildInfo.productVersion)
                let full = try await api.get(path).json
                #expect(full["overall"]?.string == "ok" && full["checks"]?["database"]?["status"]?.string == "ok")
                #expect(full["checks"]?["schema"]?["status"]?.string == "ok" && full["errors"]?.array?.isEmpty == true)
            }
            #expect(try await api.get("/health/build", token: nil).json["version"]?.string == BuildInfo.productVersion)
            #expect(try await api.get("/health/threads", token: nil).json["shutdown_called"]?.bool == false)
            let status = try await api.get("/api/v1/status", token: nil).json
            #expect(status["status"]?.string == "operational" && (status["components"]?.array?.count ?? 0) >= 2)
            let queue = try await api.get("/api/v1/debates/queue/status").json
            #expect(queue["depth"]?.int == 0 && queue["workers"]?.int == 0 && queue["active"]?.bool == false)
            let metrics = try await api.get("/metrics", token: nil)
            #expect(metrics.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.text.contains("aragora_ready 1\n") && metrics.text.contains("handler=\"/healthz\""))
        }
    }

    @Test("while it drains it is not ready, and says why")
    func draining() async throws {
        try await APIFixture.with { api in
            api.context.shutdown.request()
            let answer = try await api.get("/readyz")
            #expect(answer.status == 503 && answer.json["reason"]?.string == "draining")
            #expect(api.context.metrics.value(.ready) == 0)
        }
    }

    @Test("without Redis everything works; it is degraded and says so")
    func redisAway() async throws {
        let url = "redis://127.0.0.1:\(FreePort.pick())/0"
        try await APIFixture.with(["ARAGORA_RATE_LIMIT": "1000"], redisURL: url) { api in
            let id = try await api.create()
            #expect(try await api.get("/api/debates/\(id)/events").status == 200)
            #expect(try await api.send("POST", "/api/debates/\(id)/pause").status == 200)
            #expect(try await api.send("POST", "/api/debates/\(id)/cancel").status == 200)
            #expect(try await api.get("/api/debates/queue/status").json["dlq"]?.isNull == true)
            let ready = try await api.get("/readyz")
            #expect(ready.status == 200 && ready.json["degraded"] == ["redis"])
            let health = try await api.get("/health")
            #expect(health.status == 200 && health.json["overall"]?.string == "warning")
            #expect(health.json["checks"]?["redis"]?["status"]?.string == "warning")
            #expect(health.json["checks"]?["redis"]?["message"]?.string?.isEmpty == false)
            #expect(health.json["warnings"]?.array?.count == 1)
            #expect(api.context.metrics.value(.degraded, ["redis"]) == 1 && api.context.metrics.value(.redisUp) == 0)
            #expect(try await api.get("/api/status").json["status"]?.string == "degraded")
        }
    }

    @Test("with Redis, bells ring, hints are sent, and nothing is degraded", .needsRedis)
    func redisThere() async throws {
        let url: String = try #require(TestSupport.Backends.redisURL)
        try await APIFixture.with(["ARAGORA_RATE_LIMIT": "1000"], redisURL: url) { api in
            while try await api.get("/readyz").json["degraded"]?.array?.isEmpty != true {}
            let id = try await api.create()
            #expect(try await api.send("POST", "/api/debates/\(id)/cancel").status == 200)
            #expect(try await api.get("/api/debates/queue/status").json["dlq"]?.int == 0)
            #expect(api.context.metrics.value(.redisUp) == 1 && api.context.metrics.value(.degraded, ["redis"]) == 0)
            #expect(!api.log.lines.contains { $0.contains("doorbell not rung") || $0.contains("not published") })
        }
    }

    @Test("without Postgres every answer is a flat 503, and readiness says why")
    func postgresAway() async throws {
        let port = FreePort.pick()
        try await APIFixture.with(
            ["ARAGORA_DB_COMMAND_TIMEOUT": "1"], dsn: { _ in "postgresql://nobody@127.0.0.1:\(port)/none" }
        ) { api in
            let id = APIAccessTests.someDebate
            let requests: [(String, String, String?)] = [
                ("POST", "/api/debates", #"{"topic":"Which way?"}"#), ("GET", "/api/debates", nil),
                ("GET", "/api/debates/active", nil),
                ("GET", "/api/debates/\(id)", nil), ("GET", "/api/debates/slug/some", nil),
                ("GET", "/api/debates/\(id)/events", nil),
                ("POST", "/api/debates/\(id)/cancel", nil), ("POST", "/api/debates/\(id)/pause", nil),
                ("GET", "/api/receipts", nil),
                ("GET", "/api/debates/queue/status", nil), ("GET", "/api/debates/\(id)/costs", nil),
            ]
            // Each waits for a connection as long as the pool allows: together they take no longer than one.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (method, path, body) in requests {
                    group.addTask {
                        let answer = try await api.send(method, path, body)
                        #expect(
                            answer.status == 503 && answer.code == "service_unavailable",
                            "\(method) \(path): \(answer.text)")
                        #expect(answer.json["error"]?.string == "The service is not available.")
                    }
                }
                try await group.waitForAll()
            }
            let ready = try await api.get("/readyz")
            #expect(ready.status == 503 && ready.json["status"]?.string == "not_ready")
            #expect(ready.json["reason"]?.string?.contains("database: ") == true)
            #expect(try await api.get("/api/ready").json["database"]?.string == "unavailable")
            #expect(try await api.get("/health").json["checks"]?["database"]?["status"]?.string == "error")
            #expect(try await api.get("/healthz").status == 200)
            #expect(try await api.get("/api/status").json["status"]?.string == "degraded")
        }
    }
}

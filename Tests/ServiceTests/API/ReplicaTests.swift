import Contracts
import Domain
import Messaging
import Platform
import RedisClient
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// Which processes there are, as those who look after the installation see it.
@Suite("The installation's replicas", .needsPostgres, .timeLimit(.minutes(1)))
struct ReplicaTests {
    private func rows(_ answer: Answer) -> [JSONValue] { answer.json["replicas"]?.array ?? [] }

    @Test("without Redis, and while it is away, only who answers is shown, and the answer says so")
    func alone() async throws {
        for (url, register) in [(nil, "none"), ("redis://127.0.0.1:1", "unavailable")] as [(String?, String)] {
            try await APIFixture.with(redisURL: url) { api in
                let answer = try await api.get("/api/v1/health/replicas")
                #expect(answer.status == 200 && answer.json["register"]?.string == register, "\(answer.text)")
                let only = try #require(rows(answer).first)
                #expect(rows(answer).count == 1 && only["service"]?.string == "api")
                #expect(only["answers"]?.bool == true && only["status"]?.string == "ready")
            }
        }
    }

    @Test("each beat of a process is seen by the others; one that ends takes itself out", .needsRedis)
    func beats() async throws {
        try await APIFixture.with(redisURL: TestSupport.Backends.redisURL) { api in
            let settings = try #require(api.settings.heartbeat)
            let (ending, draining) = (ShutdownSignal(), ShutdownSignal())
            let context = ServiceContext(
                name: "debate-worker", log: .disabled, metrics: Metrics(), loops: [api.loop], shutdown: draining,
                health: HealthRegistry(shutdown: draining, loop: api.loop, metrics: Metrics()), build: .current,
                startedAtMilliseconds: 1_767_322_800_000, common: api.context.common)
            let heartbeat = Heartbeat(settings: settings, context: context, interval: .milliseconds(20))
            async let beating: Void = heartbeat.run(until: ending)
            func worker() async throws -> JSONValue? {
                rows(try await api.get("/api/health/replicas")).first { $0["service"]?.string == "debate-worker" }
            }
            func wait(_ status: String?) async throws {
                while try await worker()?["status"]?.string != status {}
            }
            try await wait("starting")
            context.health.markStarted()
            try await wait("ready")
            context.health.add(.init("gone", .required) { throw RedisError(.unavailable, "not there") })
            try await wait("not_ready")
            let reasons = try await worker()?["reasons"]?.array?.compactMap(\.string) ?? []
            #expect(reasons.count == 1 && reasons[0].hasPrefix("gone: "))
            draining.request()
            try await wait("draining")
            ending.request()
            try await beating
            #expect(try await worker() == nil)
        }
    }

    @Test("one that stopped beating is lost, and counts so for its service", .needsRedis)
    func lost() async throws {
        try await APIFixture.with(redisURL: TestSupport.Backends.redisURL) { api in
            let connection = api.backends.main.redis
            let prefix = api.settings.stores.redisPrefix
            let register = ReplicaRegister(connection: connection, prefix: prefix)
            let gone = ReplicaEntry(
                service: "api", host: "elsewhere", pid: 3, metricsPort: 9090, version: "0.0.9", commit: "c",
                startedAt: Timestamp(milliseconds: 0), phase: .ready, reasons: [], degraded: [])
            try await register.beat(gone)
            try await connection.send(
                RedisCommand("ZINCRBY", Keyspace.replicasSeen(prefix: prefix), "-20000", gone.key))
            let answer = try await api.get("/api/health/replicas")
            #expect(answer.json["register"]?.string == "shared")
            let row = try #require(rows(answer).first { $0["host"]?.string == "elsewhere" })
            #expect(row["status"]?.string == "lost" && (row["silent_seconds"]?.double ?? 0) >= 20)
            let service = try #require(answer.json["services"]?.array?.first)
            #expect(service["replicas"]?.int == 1 && service["lost"]?.int == 1 && service["ready"]?.int == 1)
            #expect(service["versions"]?.array?.count == 1)
            try await TestRedis.deleteAll(connection, prefix)
        }
    }

    @Test("is for administrators")
    func permission() async throws {
        try await APIFixture.with { api in
            #expect(try await api.get("/api/health/replicas", token: nil).status == 401)
            let id = try await api.create()
            let scoped = APIFixture.signedToken(id)
            #expect(try await api.get("/api/health/replicas", token: scoped).status == 403)
        }
    }
}

import Contracts
import Domain
@testable import Messaging
import Platform
import RedisClient
import TestSupport
import Testing

@Suite("The register of processes", .timeLimit(.minutes(1)))
struct ReplicaRegisterTests {
    private func entry(
        _ service: String = "api", pid: Int = 7, phase: ReplicaEntry.Phase = .ready, reasons: [String] = []
    ) -> ReplicaEntry {
        ReplicaEntry(
            service: service, host: "host-1", pid: pid, metricsPort: 9090, version: "0.1.0", commit: "abc",
            startedAt: Timestamp(milliseconds: 1_767_322_800_000), phase: phase, reasons: reasons, degraded: ["redis"])
    }

    /// Moves a beat back, as if the process had been silent since.
    private func silence(
        _ entry: ReplicaEntry, by duration: Duration, _ connection: RedisConnection, _ prefix: String
    ) async throws {
        let key = Keyspace.replicasSeen(prefix: prefix)
        let by = "-\(Int64(duration / .milliseconds(1)))"
        _ = try await connection.send(RedisCommand("ZINCRBY", key, by, entry.key))
    }

    @Test("an entry is read as it was written; what is too long is cut, what is no entry refused")
    func entries() throws {
        let entry = entry(reasons: ["draining"])
        #expect(try ReplicaEntry(decoding: entry.bytes) == entry)
        #expect(
            String(decoding: entry.bytes, as: UTF8.self)
                == #"{"v":1,"service":"api","instance":"host-1:7:9090","host":"host-1","pid":7,"metrics_port":9090,"version":"0.1.0","commit":"abc","started_at":"2026-01-02T03:00:00.000Z","phase":"ready","reasons":["draining"],"degraded":["redis"]}"#
        )
        let long = self.entry(reasons: Array(repeating: String(repeating: "\u{1F600}", count: 5000), count: 50))
        #expect(long.bytes.count <= ReplicaEntry.maximumBytes && long.reasons.count == 8)
        #expect(try ReplicaEntry(decoding: long.bytes) == long)
        for text in ["", "[]", #"{"v":2}"#, #"{"v":1,"service":"api"}"#, String(repeating: " ", count: 40_000)] {
            #expect(throws: ContractError.self) { try ReplicaEntry(decoding: Array(text.utf8)) }
        }
    }

    @Test("shows everybody that beats, by service, with what each said last", .needsRedis)
    func shows() async throws {
        try await TestRedis.use { _, connection, prefix in
            let register = ReplicaRegister(connection: connection, prefix: prefix)
            #expect(try await register.all().isEmpty)
            let (one, two, worker) = (entry(), entry(pid: 8), entry("debate-worker", pid: 9))
            for entry in [worker, two, one] { try await register.beat(entry) }
            try await register.beat(entry(phase: .draining, reasons: ["draining"]))
            let all = try await register.all()
            #expect(all.map(\.entry.key) == [one.key, two.key, worker.key])
            #expect(all[0].entry.phase == .draining && all[0].entry.reasons == ["draining"])
            #expect(all.allSatisfy { !$0.isLost && $0.silence < .seconds(60) })
            try await register.leave(one)
            #expect(try await register.all().map(\.entry.key) == [two.key, worker.key])
        }
    }

    @Test(
        "who is silent is lost for a while, then forgotten by the next beat of anybody; back again it is there",
        .needsRedis)
    func lost() async throws {
        try await TestRedis.use { _, connection, prefix in
            let register = ReplicaRegister(connection: connection, prefix: prefix)
            let (one, two) = (entry(), entry(pid: 8))
            for entry in [one, two] { try await register.beat(entry) }
            try await silence(one, by: ReplicaRegister.lostAfter + .seconds(1), connection, prefix)
            let seen = try await register.all()
            #expect(seen.map(\.isLost) == [true, false] && seen[0].silence > ReplicaRegister.lostAfter)
            try await silence(one, by: ReplicaRegister.forgottenAfter, connection, prefix)
            #expect(try await register.all().map(\.entry.key) == [two.key])
            try await register.beat(two)
            let left = try await connection.send(RedisCommand("HLEN", Keyspace.replicas(prefix: prefix)))
            #expect(left.integer == 1)
            try await register.beat(one)
            #expect(try await register.all().map(\.isLost) == [false, false])
        }
    }

    @Test("holds no more than it may: whoever is silent longest goes; both keys expire", .needsRedis)
    func bounded() async throws {
        try await TestRedis.use { _, connection, prefix in
            let register = ReplicaRegister(connection: connection, prefix: prefix, capacity: 3)
            for pid in 1...3 {
                try await register.beat(entry(pid: pid))
                try await silence(entry(pid: pid), by: .seconds(10 - pid), connection, prefix)
            }
            try await register.beat(entry(pid: 4))
            #expect(try await register.all().map(\.entry.pid) == [2, 3, 4])
            try await register.beat(entry(pid: 2))
            try await register.beat(entry(pid: 5))
            #expect(try await register.all().map(\.entry.pid) == [2, 4, 5])
            for key in try await TestRedis.keys(connection, prefix) {
                let left = try await connection.send(RedisCommand("PTTL", key)).integer ?? -1
                #expect((1...600_000).contains(left), "\(key)")
            }
        }
    }

    @Test("what somebody else wrote there is left out", .needsRedis)
    func foreign() async throws {
        try await TestRedis.use { _, connection, prefix in
            let register = ReplicaRegister(connection: connection, prefix: prefix)
            try await register.beat(entry())
            _ = try await connection.send(RedisCommand("HSET", Keyspace.replicas(prefix: prefix), "x", "nonsense"))
            let now = try await register.all()[0].seenAt.milliseconds
            _ = try await connection.send(
                RedisCommand("ZADD", Keyspace.replicasSeen(prefix: prefix), "\(now)", "x"))
            #expect(try await register.all().count == 1)
        }
    }
}

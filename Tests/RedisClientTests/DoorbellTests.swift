import Contracts
import Domain
import Messaging
import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Doorbell", .needsRedis)
struct DoorbellTests {
    private func reader(_ loop: EventLoop, _ connection: RedisConnection, _ keys: Keyspace, _ name: String) throws
        -> DoorbellReader
    {
        DoorbellReader(
            loop: loop, configuration: try TestRedis.configuration(), connection: connection, keyspace: keys,
            consumer: name)
    }

    private func deliveries(_ outcome: DoorbellReader.Outcome) -> [DoorbellReader.Delivery] {
        guard case .deliveries(let list) = outcome else {
            Issue.record("expected deliveries, got \(outcome)")
            return []
        }
        return list
    }

    private func isFlushed(_ outcome: DoorbellReader.Outcome) -> Bool {
        if case .flushed = outcome { true } else { false }
    }

    @Test("each ring reaches one reader, with its trace, and is gone once acknowledged")
    func rings() async throws {
        try await Sample.use { loop, connection, keys in
            let bell = Doorbell(connection: connection, keyspace: keys)
            let (one, two) = (try reader(loop, connection, keys, "one"), try reader(loop, connection, keys, "two"))
            #expect(isFlushed(try await one.read(block: .seconds(5))))
            let debates = (0..<10).map { _ in Sample.debate() }
            try await bell.ring(debates[0], trace: "4bf92f3577b34da6a3ce929d0e0e4736")
            try await bell.ring(all: Array(debates.dropFirst()))
            let first = deliveries(try await one.read(max: 4, block: .seconds(5)))
            let second = deliveries(try await two.read(block: .seconds(5)))
            #expect((first + second).map(\.debate) == debates)
            #expect(first.first?.trace == "4bf92f3577b34da6a3ce929d0e0e4736")
            try await one.acknowledge(first.map(\.entryID))
            try await two.acknowledge(second.map(\.entryID))
            #expect(try await connection.send(RedisCommand("XLEN", keys.jobs)).integer == 0)
            #expect(deliveries(try await one.read(block: .milliseconds(10))).isEmpty)
            await one.close()
            await two.close()
            #expect(
                try await connection.send(RedisCommand("XINFO", "CONSUMERS", keys.jobs, keys.jobsGroup)) == .array([]))
        }
    }

    @Test("a waiting reader is woken by a ring")
    func wakes() async throws {
        try await Sample.use { loop, connection, keys in
            let waiting = try reader(loop, connection, keys, "waiting")
            try await join(waiting)
            let task = Task(executorPreference: loop) { try await waiting.read(block: .seconds(60)) }
            let debate = Sample.debate()
            try await Doorbell(connection: connection, keyspace: keys).ring(debate)
            let got = deliveries(try await task.value)
            #expect(got.map(\.debate) == [debate])
            try await waiting.acknowledge(got.map(\.entryID))
            await waiting.close()
        }
    }

    @Test("after a flush the group is made again by one reader, who says so; rings from in between count")
    func flushed() async throws {
        try await Sample.use { loop, connection, keys in
            let bell = Doorbell(connection: connection, keyspace: keys)
            let (one, two) = (try reader(loop, connection, keys, "one"), try reader(loop, connection, keys, "two"))
            #expect(isFlushed(try await one.read(block: .seconds(5))))
            // Also the time in which it has to connect.
            #expect(deliveries(try await two.read(block: .seconds(1))).isEmpty)
            try await TestRedis.deleteAll(connection, keys.prefix)
            #expect(try await one.reclaim(minIdle: .zero).isEmpty)
            let debate = Sample.debate()
            try await bell.ring(debate)
            #expect(isFlushed(try await one.read(block: .seconds(5))))
            let got = deliveries(try await two.read(block: .seconds(5)))
            #expect(got.map(\.debate) == [debate])
            try await one.acknowledge(["1-1"])
            await one.close()
            await two.close()
        }
    }

    @Test("a reader that waits when the stream is lost comes back and finds out")
    func flushedWhileWaiting() async throws {
        try await Sample.use { loop, connection, keys in
            let waiting = try reader(loop, connection, keys, "waiting")
            try await join(waiting)
            let task = Task(executorPreference: loop) { try await waiting.read(block: .milliseconds(300)) }
            try await connection.send(RedisCommand("DEL", keys.jobs))
            var outcome = try await task.value
            // Redis 7.0 lets the reader wait on; its next read then finds the group gone.
            if !isFlushed(outcome) { outcome = try await waiting.read(block: .milliseconds(10)) }
            #expect(isFlushed(outcome))
            await waiting.close()
        }
    }

    @Test("what a dead reader fetched is taken over")
    func reclaims() async throws {
        try await Sample.use { loop, connection, keys in
            let (dead, living) = (
                try reader(loop, connection, keys, "dead"), try reader(loop, connection, keys, "living")
            )
            try await join(dead)
            let debates = (0..<3).map { _ in Sample.debate() }
            try await Doorbell(connection: connection, keyspace: keys).ring(all: debates)
            #expect(deliveries(try await dead.read(block: .seconds(5))).count == 3)
            await dead.close()
            #expect(try await living.reclaim(minIdle: .seconds(3600)).isEmpty)
            #expect(try await living.reclaim(minIdle: .zero, max: 2).map(\.debate) == Array(debates[..<2]))
            #expect(try await living.reclaim(minIdle: .zero, max: 2).map(\.debate) == [debates[2]])
            await living.close()
        }
    }

    @Test("an unreadable ring goes to the dead stream with the reason; one of a later version stays")
    func unreadable() async throws {
        try await Sample.use { loop, connection, keys in
            let one = try reader(loop, connection, keys, "one")
            try await join(one)
            try await connection.send(
                RedisCommand("XADD", keys.jobs, "*", "v", "1", "kind", "debate", "id", "nonsense"))
            try await connection.send(RedisCommand("XADD", keys.jobs, "*", "v", "9", "kind", "debate", "id", "later"))
            #expect(deliveries(try await one.read(block: .seconds(5))).isEmpty)
            let bell = Doorbell(connection: connection, keyspace: keys)
            #expect(try await bell.deadCount() == 1)
            let dead = try await connection.send(RedisCommand("XRANGE", keys.deadJobs, "-", "+"))
            #expect(
                "\(dead)".contains("string")
                    && dead.array?.first?.array?.last?.array?.contains(.string(Array("reason".utf8))) == true)
            #expect(try await connection.send(RedisCommand("XLEN", keys.jobs)).integer == 1)
            try await bell.bury(Sample.debate(), reason: "too many attempts")
            #expect(try await bell.deadCount() == 2)
            await one.close()
        }
    }

    /// What stands between us and a Redis that does not wait.
    enum Middle: String, CaseIterable, Sendable {
        /// The option is an error.
        case refuses
        /// The option is ignored: the answer comes at once.
        case ignores

        func change(_ request: ArraySlice<UInt8>) -> [UInt8] {
            let text = String(decoding: request, as: UTF8.self)
            switch self {
            case .refuses: return Array(text.replacing("$5\r\nBLOCK\r\n", with: "$5\r\nWAIT!\r\n").utf8)
            case .ignores:
                let shorter = text.replacing(/\$5\r\nBLOCK\r\n\$\d+\r\n\d+\r\n/, with: "")
                return shorter == text ? Array(request) : Array(shorter.replacing("*11\r\n", with: "*9\r\n").utf8)
            }
        }
    }

    @Test(
        "a Redis that does not wait is asked now and then instead, and each ring is heard", arguments: Middle.allCases)
    func notWaiting(middle: Middle) async throws {
        try await Sample.use { loop, connection, keys in
            let sent = Lock(0)
            var configuration = try TestRedis.configuration()
            let relay = try LossyRelay(upstreamPort: configuration.endpoint.port) { request in
                if String(decoding: request, as: UTF8.self).contains("XREADGROUP") { sent.withLock { $0 += 1 } }
                return middle.change(request)
            }
            defer { relay.close() }
            configuration.endpoint.host = "127.0.0.1"
            configuration.endpoint.port = relay.port
            let reader = DoorbellReader(
                loop: loop, configuration: configuration, connection: connection, keyspace: keys, consumer: "one")
            try await join(reader)
            for _ in 1...10 { _ = try await reader.read(block: .milliseconds(30)) }
            // It has learned; what rings while it waits is heard in this read.
            let task = Task(executorPreference: loop) { try await reader.read(block: .seconds(60)) }
            let debate = Sample.debate()
            try await Doorbell(connection: connection, keyspace: keys).ring(debate)
            let got = deliveries(try await task.value)
            #expect(got.map(\.debate) == [debate])
            try await reader.acknowledge(got.map(\.entryID))

            let before = sent.withLock { $0 }
            let start = ContinuousClock.now
            #expect(deliveries(try await reader.read(block: .milliseconds(650))).isEmpty)
            let elapsed = ContinuousClock.now - start
            #expect(elapsed >= .milliseconds(649))
            // Every 200 ms, however long a busy machine takes for all of it.
            #expect((1...Int(elapsed / .milliseconds(200)) + 2).contains(sent.withLock { $0 } - before))
            await reader.close()
        }
    }

    @Test("a user that may not read groups waits for the sweep, and does not spin")
    func mayNotRead() async throws {
        try await Sample.use { loop, connection, keys in
            try await connection.send(
                RedisCommand(
                    "ACL", "SETUSER", keys.prefix, "on", ">secret", "~*", "&*", "+@all", "-config", "-@blocking"))
            var configuration = try TestRedis.configuration()
            configuration.endpoint.user = keys.prefix
            configuration.endpoint.password = Secret("secret")
            let reader = DoorbellReader(
                loop: loop, configuration: configuration, connection: connection, keyspace: keys, consumer: "one")
            try await Doorbell(connection: connection, keyspace: keys).ring(Sample.debate())
            let start = ContinuousClock.now
            try await join(reader, block: .milliseconds(100))
            #expect(ContinuousClock.now - start >= .milliseconds(99))
            await reader.close()
            try await connection.send(RedisCommand("ACL", "DELUSER", keys.prefix))
        }
    }

    @Test("while Redis is away a read waits its time and fails, so that its caller does not spin")
    func away() async throws {
        let loop = try EventLoop()
        defer { loop.stop() }
        let connection = RedisConnection(loop: loop, configuration: RedisConfiguration(host: "127.0.0.1", port: 1))
        let keys = Keyspace(prefix: "test", generation: 1)
        let away = DoorbellReader(
            loop: loop, configuration: RedisConfiguration(host: "127.0.0.1", port: 1), connection: connection,
            keyspace: keys,
            consumer: "one")
        let start = ContinuousClock.now
        let error = await #expect(throws: RedisError.self) { try await away.read(block: .milliseconds(80)) }
        #expect(error?.code == .unavailable)
        #expect(ContinuousClock.now - start >= .milliseconds(79))
        await away.close()
    }
}

/// Makes the reader's group, however long its connection takes to come up: each try waits its own time.
private func join(_ reader: DoorbellReader, block: Duration = .milliseconds(10)) async throws {
    while true {
        do throws(RedisError) {
            _ = try await reader.read(block: block)
            return
        } catch  where error.code == .unavailable {
            continue
        }
    }
}

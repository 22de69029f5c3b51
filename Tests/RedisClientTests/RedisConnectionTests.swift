import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Redis connection", .needsRedis)
struct RedisConnectionTests {
    @Test("a thousand tasks share one connection, and each gets its own answer")
    func pipelining() async throws {
        try await TestRedis.use { _, connection, prefix in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        let (key, value) = ("\(prefix):\(number)", Array("value \(number)".utf8))
                        try await connection.send(RedisCommand("SET", key, arguments: [value]))
                        return try await connection.send(RedisCommand("GET", key)) == .string(value)
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test("a batch answers in order, with an error in its place")
    func batch() async throws {
        try await TestRedis.use { _, connection, prefix in
            let replies = try await connection.send([
                RedisCommand("SET", "\(prefix):a", "1"), RedisCommand("LPUSH", "\(prefix):a", "x"),
                RedisCommand("INCR", "\(prefix):a"),
            ])
            #expect(replies.count == 3)
            #expect(replies[0] == .status("OK"))
            guard case .error(let text) = replies[1] else { Issue.record("expected an error"); return }
            #expect(text.hasPrefix("WRONGTYPE"))
            #expect(replies[2] == .integer(2))
            #expect(try await connection.send([]).isEmpty)
        }
    }

    @Test("values of any bytes and many megabytes come back as they went", arguments: [0, 1, 70_000, 8_000_000])
    func bigReplies(count: Int) async throws {
        try await TestRedis.use { _, connection, prefix in
            let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try await connection.send(RedisCommand("SET", "\(prefix):big", arguments: [value]))
            #expect(try await connection.send(RedisCommand("GET", "\(prefix):big")) == .string(value))
        }
    }

    @Test("an error reply is thrown with its code")
    func refused() async throws {
        try await TestRedis.use { _, connection, prefix in
            try await connection.send(RedisCommand("SET", "\(prefix):s", "text"))
            let error = await #expect(throws: RedisError.self) {
                try await connection.send(RedisCommand("LPUSH", "\(prefix):s", "x"))
            }
            #expect(error?.code == .refused)
            #expect(error?.serverCode == "WRONGTYPE")
        }
    }

    @Test("an ACL user gets in with its password; with a wrong one the error shows neither")
    func authentication() async throws {
        try await TestRedis.use { loop, connection, prefix in
            try await connection.send(RedisCommand("ACL", "SETUSER", prefix, "on", ">right-secret", "~*", "+@all"))
            var configuration = try TestRedis.configuration()
            configuration.endpoint.user = prefix
            configuration.endpoint.password = Secret("right-secret")
            configuration.endpoint.database = 3
            let good = RedisConnection(loop: loop, configuration: configuration)
            try await good.connect()
            #expect(try await good.send(RedisCommand("ACL", "WHOAMI")).text == prefix)
            #expect(try await good.send(RedisCommand("CLIENT", "INFO")).text?.contains(" db=3 ") == true)
            await good.close()

            configuration.endpoint.password = Secret("wrong-secret")
            let lines = Reports<String>()
            let log = Log(service: "test", sink: { lines.report(String(decoding: $0, as: UTF8.self)) })
            let states = Reports<RedisConnection.State>()
            let bad = RedisConnection(loop: loop, configuration: configuration, log: log, onStateChange: states.report)
            await bad.start()
            guard case .disconnected(let reason) = await states.next() else {
                Issue.record("expected a refusal"); return
            }
            #expect(reason.contains("WRONGPASS"))
            let error = await #expect(throws: RedisError.self) { try await bad.send(RedisCommand("PING")) }
            #expect(error?.code == .unavailable)
            await bad.close()
            for text in lines.values + [reason, "\(try #require(error))"] {
                #expect(!text.contains("wrong-secret") && !text.contains(prefix))
            }
            #expect(lines.values.contains { $0.contains("authentication") })
            try await connection.send(RedisCommand("ACL", "DELUSER", prefix))
        }
    }

    @Test("comes back after its connection is killed; what was in flight fails, and so does what comes meanwhile")
    func reconnects() async throws {
        try await TestRedis.use { loop, admin, prefix in
            var configuration = try TestRedis.configuration()
            configuration.clientName = prefix
            let states = Reports<RedisConnection.State>()
            let connection = RedisConnection(loop: loop, configuration: configuration, onStateChange: states.report)
            try await connection.connect()
            let waiting = Task {
                try await connection.sendBlocking(RedisCommand("BLPOP", "\(prefix):never", "60"), block: .seconds(60))
            }
            try await TestRedis.wait(forClientNamed: prefix, running: "blpop", through: admin)
            #expect(try await TestRedis.kill(clientNamed: prefix, through: admin) == 1)
            let error = await #expect(throws: RedisError.self) { try await waiting.value }
            #expect(error?.code == .disconnected)
            _ = await states.next { if case .disconnected = $0 { true } else { false } }
            #expect(await states.next { $0 == .connected } == .connected)
            #expect(try await connection.send(RedisCommand("PING")).text == "PONG")
            await connection.close()
            #expect(states.values.last == .closed)
            let closed = await #expect(throws: RedisError.self) { try await connection.send(RedisCommand("PING")) }
            #expect(closed?.code == .closed)
        }
    }

    @Test("without a server, commands fail at once and waiting ends at its limit")
    func noServer() async throws {
        let loop = try EventLoop()
        let listener = try Listener(
            loop: loop, address: try #require(SocketAddress(ip: "127.0.0.1", port: 0)), reusePort: false
        ) { _ in }
        var configuration = RedisConfiguration(host: "127.0.0.1", port: listener.address.port)
        await Task(executorPreference: loop) { listener.close() }.value
        configuration.backoff = Backoff(first: .milliseconds(1), cap: .milliseconds(10))
        let connection = RedisConnection(loop: loop, configuration: configuration)
        let first = await #expect(throws: RedisError.self) { try await connection.connect(timeout: .milliseconds(30)) }
        #expect(first?.code == .unavailable)
        let second = await #expect(throws: RedisError.self) { try await connection.send(RedisCommand("PING")) }
        #expect(second?.code == .unavailable)
        await connection.close()
        loop.stop()
    }

    @Test("a server that does not answer is given up after the command timeout, but not for one impatient caller")
    func silentServer() async throws {
        try await TestRedis.use { loop, connection, prefix in
            var configuration = try TestRedis.configuration()
            configuration.commandTimeout = .milliseconds(300)
            let states = Reports<RedisConnection.State>()
            let slow = RedisConnection(loop: loop, configuration: configuration, onStateChange: states.report)
            try await slow.connect()
            // A caller's own deadline ends its wait only: the late reply is dropped, the next one finds its command.
            let impatient = await #expect(throws: RedisError.self) {
                try await slow.send(RedisCommand("BLPOP", "\(prefix):never", "0.1"), timeout: .milliseconds(10))
            }
            #expect(impatient?.code == .timedOut)
            #expect(try await slow.send(RedisCommand("ECHO", "next")).text == "next")
            // Longer than the command timeout: the connection counts as dead.
            let error = await #expect(throws: RedisError.self) {
                try await slow.send(RedisCommand("BLPOP", "\(prefix):never", "60"))
            }
            #expect(error?.code == .timedOut)
            _ = await states.next { if case .disconnected = $0 { true } else { false } }
            #expect(await states.next { $0 == .connected } == .connected)
            await slow.close()
        }
    }

    @Test("a blocking read ends when its task is cancelled")
    func cancelledBlocking() async throws {
        try await TestRedis.use { loop, _, prefix in
            let connection = RedisConnection(loop: loop, configuration: try TestRedis.configuration())
            try await connection.connect()
            let task = Task(executorPreference: loop) {
                try await connection.sendBlocking(RedisCommand("BLPOP", "\(prefix):never", "60"), block: .seconds(60))
            }
            task.cancel()
            let error = await #expect(throws: RedisError.self) { try await task.value }
            #expect(error?.code == .closed)
            await connection.close()
        }
    }

    @Test("a script is found again after Redis forgot it")
    func scripts() async throws {
        try await TestRedis.use { _, connection, prefix in
            let script = LuaScript("sum-\(prefix)", "return tonumber(ARGV[1]) + tonumber(ARGV[2]) -- \(prefix)")
            let (two, three) = (Array("2".utf8), Array("3".utf8))
            #expect(try await connection.run(script, keys: [], arguments: [two, three]).integer == 5)
            try await connection.send(RedisCommand("SCRIPT", "FLUSH"))
            #expect(try await connection.run(script, keys: [], arguments: [three, three]).integer == 6)
            #expect(try await connection.run(script, keys: [], arguments: [two, two]).integer == 4)
        }
    }
}

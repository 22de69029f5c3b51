import Platform
package import RedisClient
package import Sockets

/// The Redis that `make test` starts for a run.
package enum TestRedis {
    /// - Throws: ``Backends/Missing`` without TEST_REDIS_URL.
    package static func configuration() throws -> RedisConfiguration {
        guard let url = Backends.redisURL else { throw Backends.Missing(description: "TEST_REDIS_URL is not set") }
        var configuration = try RedisConfiguration(url: url)
        configuration.backoff = Backoff(first: .milliseconds(5), cap: .milliseconds(100))
        // A thousand tests at once may leave a loop without a processor for seconds; who tests a deadline sets its own.
        configuration.connectTimeout = .seconds(20)
        configuration.commandTimeout = .seconds(20)
        return configuration
    }

    /// Lends a loop, a connection and a key prefix of its own; what was stored under it is deleted afterwards.
    package static func use(
        _ body: (_ loop: EventLoop, _ connection: RedisConnection, _ prefix: String) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "test")
        let connection = RedisConnection(loop: loop, configuration: try configuration())
        let prefix = "test-\(UInt64.random(in: 0...UInt64.max))"
        try await connection.connect()
        do {
            try await body(loop, connection, prefix)
        } catch {
            await end(loop, connection, prefix)
            throw error
        }
        await end(loop, connection, prefix)
    }

    private static func end(_ loop: EventLoop, _ connection: RedisConnection, _ prefix: String) async {
        try? await deleteAll(connection, prefix)
        await connection.close()
        loop.stop()
    }

    /// What a flush would do to the keys of one prefix.
    package static func deleteAll(_ connection: RedisConnection, _ prefix: String) async throws {
        let keys = try await keys(connection, prefix)
        if !keys.isEmpty { try await connection.send(RedisCommand(words: ["DEL"] + keys)) }
    }

    /// Every key of one prefix.
    package static func keys(_ connection: RedisConnection, _ prefix: String) async throws -> [String] {
        var (cursor, found) = ("0", Set<String>())
        repeat {
            let reply = try await connection.send(RedisCommand("SCAN", cursor, "MATCH", prefix + "*", "COUNT", "1000"))
            cursor = reply.array?.first?.text ?? "0"
            found.formUnion((reply.array?.last?.array ?? []).compactMap(\.text))
        } while cursor != "0"
        return Array(found)
    }

    /// Returns when a client of this name is in the middle of `command`, as CLIENT LIST shows it.
    package static func wait(forClientNamed name: String, running command: String, through connection: RedisConnection)
        async throws
    {
        while true {
            let list = try await connection.send(RedisCommand("CLIENT", "LIST")).text ?? ""
            let found = list.split(separator: "\n").contains { line in
                let fields = line.split(separator: " ")
                return fields.contains("name=\(name)") && fields.contains("cmd=\(command)")
            }
            if found { return }
            await Task.yield()
        }
    }

    /// Ends the connections of this client name, as an operator would, and returns how many there were.
    package static func kill(clientNamed name: String, through connection: RedisConnection) async throws -> Int {
        let list = try await connection.send(RedisCommand("CLIENT", "LIST")).text ?? ""
        let lines = list.split(separator: "\n").filter { $0.split(separator: " ").contains("name=\(name)") }
        for line in lines {
            guard let id = line.split(separator: " ").first(where: { $0.hasPrefix("id=") }) else { continue }
            try await connection.send(RedisCommand("CLIENT", "KILL", "ID", String(id.dropFirst(3))))
        }
        return lines.count
    }
}

/// What callbacks report, to be awaited in order.
package final class Reports<Value: Sendable>: Sendable {
    private let continuation: AsyncStream<Value>.Continuation
    private let stream: AsyncStream<Value>
    private let all = Lock([Value]())

    package init() { (stream, continuation) = AsyncStream<Value>.makeStream() }

    package func report(_ value: Value) {
        all.withLock { $0.append(value) }
        continuation.yield(value)
    }

    /// Everything so far.
    package var values: [Value] { all.withLock { $0 } }

    /// The next report that matches; those before it are passed over. One caller at a time.
    package func next(where matches: (Value) -> Bool = { _ in true }) async -> Value? {
        for await value in stream where matches(value) { return value }
        return nil
    }
}

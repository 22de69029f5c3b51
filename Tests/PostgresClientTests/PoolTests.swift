import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

@Suite("Pool", .needsPostgres)
struct PoolTests {
    private let myConnections: SQL =
        "SELECT pid FROM pg_stat_activity WHERE application_name = current_setting('application_name')"

    /// Transactions that all have begun before the first of them ends: each has a connection of its own.
    private static func rush(of count: Int, on pool: PGPool) async throws {
        let inside = Lock(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await pool.withTransaction { transaction in
                        inside.withLock { $0 += 1 }
                        repeat { _ = try await transaction.query("SELECT 1") } while inside.withLock { $0 } < count
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("grows while its connections are busy, up to its size")
    func grows() async throws {
        try await TestDatabase.withSchema(poolSize: 3) { pool, _ in
            try await Self.rush(of: 3, on: pool)
            let count = try await pool.query(myConnections).count
            #expect(count == 3)
        }
    }

    @Test("gives back what a rush has left, keeps a connection for who comes, and grows again", .timeLimit(.minutes(1)))
    func shrinks() async throws {
        try await TestDatabase.withSchema(poolSize: 4, configure: { $0.idleTimeout = .seconds(1) }) { pool, _ in
            let first = try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p")
            for _ in 1...2 {
                try await Self.rush(of: 4, on: pool)
                // Asking uses one of them: that one stays.
                while try await pool.query(myConnections).count > 1 {
                    _ = try await pool.query("SELECT pg_sleep(0.05)")
                }
            }
            #expect(try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p") == first)
        }
    }

    @Test("a statement lost with its connection is ambiguous, and the pool connects again")
    func reconnects() async throws {
        try await TestDatabase.withSchema(poolSize: 1) { pool, _ in
            let first = try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p")
            let error = await #expect(throws: PGError.self) {
                try await pool.query("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(10)")
            }
            #expect(error?.code == .ambiguous)
            #expect(error?.isAmbiguousCommit == true)
            #expect(error?.sqlState == .adminShutdown)
            let second = try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p")
            #expect(second != first)
            // Killed while nothing runs: nobody notices.
            _ = try await TestDatabase.administer("SELECT pg_terminate_backend(\(second)::int, 5000)", on: pool.loop)
            #expect(try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p") != second)
        }
    }

    @Test("the server ends a statement past the statement timeout, and the connection stays")
    func statementTimeout() async throws {
        try await TestDatabase.withSchema(poolSize: 1, configure: { $0.statementTimeout = .milliseconds(50) }) {
            pool, _ in
            let pid = try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p")
            let error = await #expect(throws: PGError.self) { try await pool.query("SELECT pg_sleep(10)") }
            #expect(error?.sqlState == .queryCanceled)
            #expect(error?.isAmbiguousCommit == false)
            #expect(try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p") == pid)
        }
    }

    @Test("a caller's own deadline ends the wait, replaces the connection and cancels on the server")
    func clientDeadline() async throws {
        try await TestDatabase.withSchema(poolSize: 1) { pool, _ in
            let pid = try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p")
            let blocker = try await Blocker(pool)
            let error = await #expect(throws: PGError.self) {
                try await pool.query("SELECT pg_advisory_xact_lock(\(blocker.key))", timeout: .milliseconds(50))
            }
            #expect(error?.code == .timeout)
            #expect(error?.isAmbiguousCommit == true)
            #expect(try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p") != pid)
            // The lock is still held: only a cancel request ends the statement.
            try await blocker.gone(pid)
            await blocker.release()
        }
    }

    @Test("when every connection is leased, callers fail after the acquire timeout and are served after a release")
    func exhausted() async throws {
        try await TestDatabase.withSchema(poolSize: 1, configure: { $0.acquireTimeout = .milliseconds(200) }) {
            pool, _ in
            // Connecting may take longer than this acquire timeout on a busy machine.
            while (try? await pool.ping()) == nil {}
            try await pool.withTransaction { transaction in
                _ = try await transaction.query("SELECT 1")
                let statement = await #expect(throws: PGError.self) { try await pool.query("SELECT 1") }
                #expect(statement?.code == .poolExhausted)
                let lease = await #expect(throws: PGError.self) {
                    try await pool.withTransaction { try await $0.query("SELECT 1") }
                }
                #expect(lease?.code == .poolExhausted)
            }
            #expect(try await pool.query("SELECT 1 AS n")[0].int("n") == 1)
        }
    }

    @Test("one more waiting caller than the limit is refused at once")
    func waitersAreBounded() async throws {
        try await TestDatabase.withSchema(poolSize: 1) { pool, _ in
            let codes = try await pool.withTransaction { transaction in
                _ = try await transaction.query("SELECT 1")
                return await withTaskGroup(of: PGError.Code?.self) { group in
                    for _ in 0...PGConfiguration.maxWaiting {
                        group.addTask {
                            do throws(PGError) { try await pool.ping() } catch { return error.code }
                            return nil
                        }
                    }
                    // The refused one comes first; then the rest need not wait.
                    let first = await group.next()
                    group.cancelAll()
                    return await group.reduce(into: [first ?? nil]) { $0.append($1) }
                }
            }
            #expect(codes.first == .poolExhausted)
            #expect(codes.dropFirst().allSatisfy { $0 == .cancelled })
            #expect(codes.count == PGConfiguration.maxWaiting + 1)
            try await pool.ping()
        }
    }

    @Test("a transaction gets its turn although statements keep coming, and the other way round")
    func fairness() async throws {
        // They are to wait, not to give up.
        try await TestDatabase.withSchema(poolSize: 2, configure: { $0.acquireTimeout = .seconds(60) }) { pool, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 {
                    group.addTask { for _ in 0..<25 { try await pool.ping() } }
                    group.addTask {
                        try await pool.withTransaction { _ = try await $0.query("SELECT pg_sleep(0.001)") }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a cancelled caller returns at once, and its connection goes on")
    func cancellation() async throws {
        try await TestDatabase.withSchema(poolSize: 2) { pool, _ in
            let blocker = try await Blocker(pool)
            let running = Task { try await pool.query("SELECT pg_advisory_xact_lock(\(blocker.key))") }
            _ = try await blocker.waiter()
            running.cancel()
            let error = await #expect(throws: PGError.self) { try await running.value }
            #expect(error?.code == .cancelled)
            #expect(error?.isAmbiguousCommit == true)
            await blocker.release()
            try await pool.ping()
        }
    }

    @Test("without Postgres callers get unavailable after the acquire timeout, without the DSN")
    func unavailable() async throws {
        let loop = try EventLoop()
        defer { loop.stop() }
        var configuration = PGConfiguration(dsn: "postgresql://someone:hunter2@127.0.0.1:1/nowhere")
        configuration.acquireTimeout = .milliseconds(200)
        let pool = PGPool(configuration: configuration, loop: loop, log: .disabled)
        let error = await #expect(throws: PGError.self) { try await pool.open() }
        #expect(error?.code == .unavailable)
        #expect(error?.isRetryable == true)
        #expect(error.map { "\($0)" }?.contains("hunter2") == false)
        #expect(!pool.isHealthy)
        await pool.close()
        let closed = await #expect(throws: PGError.self) { try await pool.ping() }
        #expect(closed?.code == .closed)
    }

    @Test(
        "a DSN that can not be read is refused without being quoted",
        arguments: ["postgresql://u:hunter2@[::1", "hunter2", "password='hunter2"])
    func badDSN(dsn: String) async throws {
        let loop = try EventLoop()
        defer { loop.stop() }
        let error = await #expect(throws: PGError.self) {
            _ = try await PGConnection.open(PGConfiguration(dsn: dsn), loop: loop, log: .disabled)
        }
        #expect(error?.code == .invalid)
        #expect(error.map { "\($0)" }?.contains("hunter2") == false)
    }

    @Test("closing waits for what runs")
    func drains() async throws {
        try await TestDatabase.withSchema(poolSize: 2) { pool, _ in
            let blocker = try await Blocker(pool)
            let running = Task {
                try await pool.query("SELECT 7 AS n FROM pg_advisory_xact_lock(\(blocker.key))")[0].int("n")
            }
            _ = try await blocker.waiter()
            async let closed: Void = pool.close()
            await blocker.release()
            #expect(try await running.value == 7)
            await closed
        }
    }

    @Test("the connect hook runs on every connection, and one that throws keeps it out")
    func connectHook() async throws {
        let loop = try EventLoop()
        defer { loop.stop() }
        let seen = Lock([Int]())
        var configuration = try TestDatabase.configuration(poolSize: 1)
        configuration.acquireTimeout = .seconds(5)
        let pool = PGPool(configuration: configuration, loop: loop, log: .disabled) { connection in
            let pid = try await connection.query("SELECT pg_backend_pid() AS p")[0].int("p")
            let count = seen.withLock {
                $0.append(pid); return $0.count
            }
            if count == 1 { throw PGError(.invalid, "not this one") }
        }
        try await pool.open()
        let pid = try await pool.query("SELECT pg_backend_pid() AS p")[0].int("p")
        #expect(seen.withLock { $0 }.count == 2)
        #expect(seen.withLock { $0 }.last == pid)
        await pool.close()
    }

    @Test("a dedicated session holds its lock until it ends, and tells when that is")
    func dedicatedSession() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let key = Int64.random(in: .min ... .max)
            let session = try await PGConnection.open(pool.configuration, loop: pool.loop, log: .disabled)
            _ = try await session.query("SELECT pg_advisory_lock(\(key))")
            let ended = AsyncStream<PGError>.makeStream()
            await session.onClose { ended.continuation.yield($0) }
            let pid = await session.backendPID
            #expect(await session.isAlive)
            _ = try await pool.query("SELECT pg_terminate_backend(\(Int(pid))::int, 5000)")
            for await error in ended.stream {
                #expect(error.sqlState == .adminShutdown)
                break
            }
            #expect(await !session.isAlive)
            #expect(try await pool.query("SELECT pg_try_advisory_lock(\(key)) AS free")[0].bool("free"))
            let error = await #expect(throws: PGError.self) { try await session.query("SELECT 1") }
            #expect(error?.isAmbiguousCommit == false)
        }
    }

    @Test("counts statements and connections in the metrics")
    func metrics() async throws {
        let metrics = Metrics()
        try await TestDatabase.withSchema(poolSize: 1, metrics: metrics) { pool, _ in
            try await pool.ping()
            _ = try? await pool.query("SELECT 1/0")
            _ = metrics.render()
            #expect(metrics.value(.postgresQueries, ["ok"]) == 1)
            #expect(metrics.value(.postgresQueries, ["error"]) == 1)
            #expect(metrics.value(.postgresConnections) == 1)
        }
        #expect(metrics.value(.postgresConnections) == 0)
    }
}

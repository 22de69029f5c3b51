import Domain
import FaultSupport
import Glibc
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@Suite("Postgres behind a transaction pooler", .needsPostgres, .needsRedis)
struct PoolerTests {
    /// Lends a stack whose processes reach Postgres through a pooler, and what they must be started with.
    static func with(
        _ name: String, latencyMilliseconds: Int = 60, _ body: (Stack, [String: String]) async throws -> Void
    ) async throws {
        let dsn = try #require(Backends.postgresURL)
        let pooler = try PrivatePooler(to: dsn)
        do {
            try await Stack.with(name, .init(latencyMilliseconds: latencyMilliseconds)) { stack in
                try await pooler.ready(stack)
                try await body(
                    stack,
                    [
                        "ARAGORA_POSTGRES_DSN": try stack.database.dsn(through: pooler.port),
                        "ARAGORA_POSTGRES_DIRECT_DSN": stack.database.dsn, "ARAGORA_DB_POOLER": "transaction",
                    ])
            }
        } catch {
            await pooler.stop()
            throw error
        }
        await pooler.stop()
    }

    @Test("debates run and are watched, and nothing of a session is left on the servers")
    func whole() async throws {
        try await Self.with("pooler") { stack, environment in
            try await stack.start([.api(1), .gateway(1), .worker(1)], with: environment)
            var watched: [(DebateID, [Viewer])] = []
            for _ in 1...5 {
                let debate = try await stack.create(Stack.Asked(rounds: 2))
                watched.append((debate, stack.watchEverywhere(debate)))
            }
            let paused = watched[0].0
            _ = try await stack.act("pause", on: paused)
            _ = try await stack.remark("Say it again, please.", on: paused)
            _ = try await stack.act("resume", on: paused)
            for (debate, viewers) in watched { try await stack.audit(debate, viewers: viewers) }
            try await stack.checkServersAreClean()
            try await stack.checkAlive(.api(1), .gateway(1), .worker(1))
        }
    }

    @Test("many callers on few connections: each statement goes to one server whole", arguments: [true, false])
    func overlap(_ isPooled: Bool) async throws {
        try await Self.with("pooler-overlap") { stack, environment in
            var configuration = PrivatePooler.configuration(try #require(environment["ARAGORA_POSTGRES_DSN"]))
            configuration.poolSize = 8
            configuration.acquireTimeout = .seconds(60)
            let loop = stack.loop
            let pool = PGPool(configuration: configuration, loop: loop, log: .disabled)
            await pool.start()
            let session = try await PGConnection.open(configuration, loop: loop, log: .disabled)
            // Too long for one write: the next one's beginning is on its way when one is answered.
            let long = String(repeating: "a", count: 20_000)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<1000 {
                    group.addTask(executorPreference: loop) {
                        let sql: SQL = "SELECT \(number) AS n, length(\(long)) AS length"
                        let row = try await (isPooled ? pool.query(sql) : session.query(sql))[0]
                        return try row.int("n") == number && row.int("length") == 20_000
                    }
                }
                for try await isRight in group { stack.check(isRight, "an answer is somebody else's") }
            }
            await session.close()
            await pool.close()
        }
    }

    @Test("statements and transactions that wait for the same connections do not wait for each other")
    func mixture() async throws {
        try await Self.with("pooler-mixture") { stack, environment in
            var configuration = PrivatePooler.configuration(try #require(environment["ARAGORA_POSTGRES_DSN"]))
            configuration.poolSize = 2
            configuration.acquireTimeout = .seconds(60)
            let loop = stack.loop
            let pool = PGPool(configuration: configuration, loop: loop, log: .disabled)
            await pool.start()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<400 {
                    group.addTask(executorPreference: loop) {
                        guard number % 5 < 2 else {
                            return try await pool.query("SELECT \(number) AS n")[0].int("n") - number
                        }
                        return try await pool.withTransaction { transaction in
                            try await transaction.query("SELECT \(number) AS n")[0].int("n") - number
                        }
                    }
                }
                for try await difference in group { stack.check(difference == 0, "an answer is somebody else's") }
            }
            await pool.close()
        }
    }

    @Test("the debates of a killed worker are adopted when its lease runs out")
    func takeover() async throws {
        try await Self.with("pooler-takeover") { stack, environment in
            try await stack.start([.api(1), .gateway(1), .worker(1)], with: environment)
            let debate = try await stack.create(Stack.Asked(rounds: 3))
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitEvents(6, of: debate)
            try await stack.kill(.worker(1))
            try await stack.start([.worker(2)], with: environment)
            try await stack.audit(debate, viewers: viewers, takeovers: 1)
            try await stack.checkServersAreClean()
        }
    }

    @Test("a restore is noticed although no connection is new: what Redis knew answers nobody any more")
    func generation() async throws {
        try await Self.with("pooler-generation") { stack, environment in
            try await stack.start([.api(1), .gateway(1), .worker(1)], with: environment)
            try await stack.audit(try await stack.create())
            _ = try await stack.pool.execute("UPDATE installation SET generation = generation + 41")
            let generation = try await InstallationStore(pool: stack.pool).installation().generation
            try await stack.eventually("a debate is published under the new generation") {
                let debate = try await stack.create(Stack.Asked(rounds: 1))
                try await stack.awaitEnd(debate)
                var keys: [String] = []
                try await stack.withRedis { connection in
                    keys = try await TestRedis.keys(connection, stack.redisPrefix)
                }
                return keys.contains { $0.contains(":g\(generation)-") && $0.contains(debate.text) }
            }
        }
    }

    @Test("the api's own runner works too, and migrates on the direct way")
    func embedded() async throws {
        try await Self.with("pooler-embedded") { stack, environment in
            // As a new installation: nothing is there.
            _ = try await stack.pool.execute("DROP SCHEMA public CASCADE")
            _ = try await stack.pool.execute("CREATE SCHEMA public")
            let more = ["ARAGORA_MIGRATE_ON_START": "true", "ARAGORA_EMBEDDED_RUNNER": "on"]
            try await stack.start([.api(1)], with: environment.merging(more) { $1 })
            let debate = try await stack.create()
            let run = try await stack.awaitEnd(debate)
            stack.check(run.status == .completed, "the debate ended as \(run.status)")
            try await stack.checkServersAreClean()
        }
    }

    @Test("an api that is to migrate through a pooler, and has no direct way, does not start")
    func noDirectWay() async throws {
        try await Self.with("pooler-no-direct") { stack, environment in
            let more = ["ARAGORA_MIGRATE_ON_START": "true", "ARAGORA_POSTGRES_DIRECT_DSN": ""]
            try stack.spawn(.api(1), environment.merging(more) { $1 })
            let end = try await stack.ended(.api(1))
            stack.check(end == .exited(78), "it ended with \(end)")
            let log = StackFolder.read("\(stack.folder)/api-1.log")
            stack.check(log.contains("ARAGORA_POSTGRES_DIRECT_DSN: "), "it does not say what is missing: \(log)")
            stack.forgiveErrors(containing: "bad setting")
        }
    }

    @Test("backups and walks take the direct way")
    func backup() async throws {
        try await Self.with("pooler-backup", latencyMilliseconds: 0) { stack, environment in
            try await stack.start([.api(1), .worker(1)], with: environment)
            try await stack.audit(try await stack.create())
            let folder = try StackFolder.make("pooler-backups-\(UInt64.random(in: .min ... .max))")
            defer { StackFolder.remove(folder) }
            let more = environment.merging(["ARAGORA_BACKUP_DIR": folder]) { $1 }
            for words in [["backup", "create"], ["backup", "list"], ["db", "verify"], ["db", "migrate"]] {
                let tool = try stack.tool(words, name: words.joined(separator: "-"), with: more)
                let end = try await stack.end(of: tool)
                stack.check(end == .exited(0), "aragora \(words) ended with \(end): \(stack.output(of: tool))")
            }
            try await stack.start([.backup], with: more)
            // Without the direct way both say so, rather than fail half-way.
            let indirect = more.merging(["ARAGORA_POSTGRES_DIRECT_DSN": ""]) { $1 }
            let tool = try stack.tool(["backup", "create"], name: "backup-indirect", with: indirect)
            let end = try await stack.end(of: tool)
            stack.check(end == .exited(78), "a backup through the pooler ended with \(end)")
            stack.check(stack.output(of: tool).contains("ARAGORA_POSTGRES_DIRECT_DSN"), stack.output(of: tool))
        }
    }
}

extension Stack {
    /// What a transaction pooler would hand to the next client: no prepared statement, setting or lock may be left.
    func checkServersAreClean() async throws {
        let locks = try await pool.query(
            """
            SELECT count(*) AS n FROM pg_locks l JOIN pg_database d ON d.oid = l.database
            WHERE locktype = 'advisory' AND d.datname = \(database.name)
            """)
        check(try locks[0].int("n") == 0, "an advisory lock is held")
        let keys = try await pool.query("SELECT count(*) AS n FROM runners WHERE presence_key IS NOT NULL")
        check(try keys[0].int("n") == 0, "a runner shows a presence lock")
        let connections = try await pool.query(
            "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = \(database.name) AND application_name <> 'e2e-test'"
        )
        let count = try connections[0].int("n")
        check(
            (1...PrivatePooler.servers).contains(count), "\(count) connections besides the test's: is it the pooler's?")
    }
}

import Glibc
import Platform
import PostgresClient
import RedisClient
import Sockets
import Storage

/// The private Postgres and Redis of this run, and where the executables are; scripts/bench.sh says all of it.
struct BenchStores: Sendable {
    let postgresURL: String
    let redisURL: String
    let postgresPID: Int32
    let redisPID: Int32
    let binFolder: String
    /// A shell command that runs pg_test_fsync beside the data of Postgres.
    let fsyncCommand: String

    static func fromEnvironment() -> BenchStores? {
        func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        guard let postgres = value("TEST_DATABASE_URL"), let redis = value("TEST_REDIS_URL"),
            let postgresPID = value("BENCH_POSTGRES_PID").flatMap({ Int32($0) }),
            let redisPID = value("BENCH_REDIS_PID").flatMap({ Int32($0) }), let bin = value("ARAGORA_BIN_DIR"),
            let fsync = value("BENCH_FSYNC_COMMAND")
        else { return nil }
        return BenchStores(
            postgresURL: postgres, redisURL: redis, postgresPID: postgresPID, redisPID: redisPID, binFolder: bin,
            fsyncCommand: fsync)
    }

    func executable(_ product: String) throws -> String {
        let path = "\(binFolder)/\(product)"
        guard Command.exists(path) else { throw Skipped("\(path) is not built") }
        return path
    }

    func redis() throws -> RedisConfiguration { try RedisConfiguration(url: redisURL) }

    /// fdatasync calls a second that the disk under Postgres takes now, one after another, 8 KiB each.
    func measureFsync() async throws -> Double {
        let output = try await Command.run("/bin/sh", ["-c", fsyncCommand], accepted: [0, 124])
        for line in output.split(separator: "\n") where line.contains("fdatasync") {
            let words = line.split(separator: " ")
            if let index = words.firstIndex(of: "ops/sec"), index > 0, let value = Double(words[index - 1]) {
                return value
            }
        }
        throw BenchFailure("pg_test_fsync printed no fdatasync: \(output)")
    }
}

/// A database of one benchmark, with the product's schema; dropped afterwards.
struct BenchDatabase: Sendable {
    let name: String
    let url: String
    let configuration: PGConfiguration

    static func with<Value>(_ bench: Bench, _ body: (BenchDatabase) async throws -> Value) async throws -> Value {
        let name = "bench_" + String(UInt32.random(in: .min ... .max), radix: 36)
        let database = BenchDatabase(name, url: url(named: name, bench.stores.postgresURL))
        try await administer(bench) { _ = try await $0.execute("CREATE DATABASE \(raw: name)") }
        do {
            try await Migrator.migrate(
                StorageMigrations.all, configuration: database.configuration, loop: bench.loop, log: .disabled)
            let value = try await body(database)
            try await drop(name, bench)
            return value
        } catch {
            try? await drop(name, bench)
            throw error
        }
    }

    private init(_ name: String, url: String) {
        self.name = name
        self.url = url
        configuration = PGConfiguration(dsn: url, poolSize: 8)
    }

    private static func url(named name: String, _ url: String) -> String {
        let path = url.lastIndex(of: "/") ?? url.endIndex
        return "\(url[..<path])/\(name)"
    }

    private static func drop(_ name: String, _ bench: Bench) async throws {
        try await administer(bench) { try await $0.dropDatabase(name) }
    }

    private static func administer(_ bench: Bench, _ work: (PGConnection) async throws -> Void) async throws {
        var configuration = PGConfiguration(dsn: bench.stores.postgresURL, poolSize: 1)
        configuration.statementTimeout = .seconds(60)
        let connection = try await PGConnection.open(configuration, loop: bench.loop, log: .disabled)
        do {
            try await work(connection)
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Runs `body` with a pool of this database on `loop`.
    func withPool<Value>(
        on loop: EventLoop, size: Int = 8, _ body: (PGPool) async throws -> Value
    ) async throws -> Value {
        var configuration = configuration
        configuration.poolSize = size
        // As a worker does (`StoreSettings`).
        configuration.sessionParameters["plan_cache_mode"] = "force_generic_plan"
        let pool = PGPool(configuration: configuration, loop: loop, log: .disabled)
        try await pool.open()
        do {
            let value = try await body(pool)
            await pool.close()
            return value
        } catch {
            await pool.close()
            throw error
        }
    }
}

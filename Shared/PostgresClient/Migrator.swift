package import Platform
package import Sockets

/// Brings a schema forward, one process at a time.
///
/// Needs a direct connection: a session lock does not survive a transaction pooler.
package enum Migrator {
    /// The advisory lock that whoever migrates this product's schema holds.
    package static let lockKey: Int64 = 2_089_872_453
    /// How long to wait for another process that migrates.
    package static let lockTimeout: Duration = .seconds(30)
    static let lockPoll: Duration = .milliseconds(100)
    /// For one migration; building an index over a large table takes a while.
    package static let statementTimeout: Duration = .seconds(3600)
    /// How long a statement of a migration may queue for a table. Whoever asks for that table later queues behind it, a
    /// backup's pg_dump too, which the backup's own snapshot would then wait for without an end.
    static let tableLockWait: Duration = .seconds(2)
    /// Between two tries, for those who queued.
    static let tableLockPause: Duration = .seconds(1)
    /// How long to go on trying: as long as a large backup takes.
    package static let tableLockTimeout: Duration = .seconds(3600)

    /// Called before each migration (with nil) and after it (with the time it took).
    package typealias Progress = @Sendable (Migration, Duration?) -> Void

    /// What would be applied. Changes nothing.
    /// - Throws: ``MigrationError`` when the schema is not one this program can work with; ``PGError``.
    package static func pending(
        _ migrations: [Migration], configuration: PGConfiguration, loop: EventLoop, log: Log
    ) async throws -> [Migration] {
        try await withConnection(configuration, loop, log) { connection in
            try MigrationPlan(known: migrations, applied: await applied(on: connection)).pending
        }
    }

    /// Applies what is missing, each migration in a transaction of its own, and returns it.
    /// - Parameters:
    ///   - lockKey: another than the product's only where schemas of one database are migrated side by side, in tests.
    ///   - lockTimeout: how long to wait while another process migrates.
    ///   - tableLockTimeout: how long to go on trying when transactions of others, such as a backup's, hold a table.
    /// - Throws: ``MigrationError``; ``PGError`` when Postgres can not be reached.
    @discardableResult
    package static func migrate(
        _ migrations: [Migration], configuration: PGConfiguration, loop: EventLoop, log: Log,
        lockKey: Int64 = Migrator.lockKey, lockTimeout: Duration = Migrator.lockTimeout,
        tableLockTimeout: Duration = Migrator.tableLockTimeout, progress: @escaping Progress = { _, _ in }
    ) async throws -> [Migration] {
        try await withConnection(configuration, loop, log) { connection in
            try await takeLock(lockKey, on: connection, timeout: lockTimeout)
            _ = try await connection.execute(table)
            let plan = try MigrationPlan(known: migrations, applied: await applied(on: connection))
            for migration in plan.pending {
                progress(migration, nil)
                let took = try await apply(migration, on: connection, within: tableLockTimeout, log)
                log.info(
                    "migration applied", .version(String(migration.version)), LogField("name", .string(migration.name)),
                    .duration(took))
                progress(migration, took)
            }
            return plan.pending
        }
    }

    private static let table: SQL = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version bigint PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            compatible boolean NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """

    private static func applied(on connection: PGConnection) async throws(PGError) -> [MigrationPlan.Applied] {
        // "Does not exist" is a question here, not an error in the server's log.
        let exists = try await connection.query("SELECT to_regclass('schema_migrations') IS NOT NULL AS yes")
        guard try exists[0].bool("yes") else { return [] }
        let rows = try await connection.query(
            "SELECT version, name, checksum, compatible FROM schema_migrations ORDER BY version")
        return try rows.map { row throws(PGError) in
            MigrationPlan.Applied(
                version: try row.int("version"), name: try row.text("name"), checksum: try row.text("checksum"),
                isCompatible: try row.bool("compatible"))
        }
    }

    private static func takeLock(_ key: Int64, on connection: PGConnection, timeout: Duration) async throws {
        let deadline = MonotonicTime.now() &+ timeout.nanosecondsClamped
        // Polled, since a blocked pg_advisory_lock holds a snapshot that CREATE INDEX CONCURRENTLY would wait for.
        while true {
            let row = try await connection.query("SELECT pg_try_advisory_lock(\(key)) AS mine")[0]
            if try row.bool("mine") { return }
            guard MonotonicTime.now() < deadline else {
                throw MigrationError(.lockTimeout, "another process has been migrating for \(timeout)")
            }
            try await connection.loop.sleep(for: lockPoll)
        }
    }

    private static func apply(
        _ migration: Migration, on connection: PGConnection, within limit: Duration, _ log: Log
    ) async throws -> Duration {
        let start = MonotonicTime.now()
        while true {
            do {
                try await run(migration, on: connection)
                return .nanoseconds(MonotonicTime.now() - start)
            } catch
                where error.sqlState == .lockNotAvailable && !migration.noTransaction
                && MonotonicTime.now() < start &+ limit.nanosecondsClamped
            {
                log.warning(
                    "migration waits for a table", .version(String(migration.version)),
                    LogField("name", .string(migration.name)), .duration(.nanoseconds(MonotonicTime.now() - start)))
                _ = try await connection.execute("ROLLBACK")
                try await connection.loop.sleep(for: tableLockPause)
            } catch {
                // The connection is closed after a failure, which rolls back.
                let line = error.position.map { ", line \(Self.line(at: $0, in: migration.sql))" } ?? ""
                throw MigrationError(.failed, "\(migration.version) \(migration.name)\(line)", cause: error)
            }
        }
    }

    private static func run(_ migration: Migration, on connection: PGConnection) async throws(PGError) {
        if !migration.noTransaction {
            _ = try await connection.execute("BEGIN")
            // Not what a migration sets for itself: it says so in its text, which comes after.
            let wait = "\(tableLockWait.components.seconds)s"
            _ = try await connection.query("SELECT set_config('lock_timeout', \(wait), true)")
        }
        try await connection.runScript(migration.sql, timeout: statementTimeout)
        _ = try await connection.execute(
            """
            INSERT INTO schema_migrations (version, name, checksum, compatible)
            VALUES (\(migration.version), \(migration.name), \(migration.checksum), \(migration.isCompatible))
            """)
        if !migration.noTransaction { _ = try await connection.execute("COMMIT") }
    }

    private static func line(at position: Int, in sql: String) -> Int {
        1 + sql.unicodeScalars.prefix(max(0, position - 1)).count { $0 == "\n" }
    }

    private static func withConnection<Value: Sendable>(
        _ configuration: PGConfiguration, _ loop: EventLoop, _ log: Log, _ body: (PGConnection) async throws -> Value
    ) async throws -> Value {
        var configuration = configuration
        configuration.statementTimeout = statementTimeout
        configuration.sessionParameters["idle_in_transaction_session_timeout"] = nil
        let connection = try await PGConnection.open(configuration, loop: loop, log: log)
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}

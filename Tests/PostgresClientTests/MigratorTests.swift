import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

@Suite("Migrator", .needsPostgres)
struct MigratorTests {
    private typealias Migration = Migrator.Migration

    private let one = Migration(version: 1, name: "one", sql: "CREATE TABLE a (n bigint); CREATE TABLE b (n bigint);")
    private let two = Migration(version: 2, name: "two", sql: "INSERT INTO a VALUES (1);\nINSERT INTO b VALUES (1)")

    private func migrate(
        _ pool: PGPool, _ migrations: [Migration], log: Log = .disabled, lockTimeout: Duration = .seconds(10),
        tableLockTimeout: Duration = Migrator.tableLockTimeout
    ) async throws -> [Int] {
        try await Migrator.migrate(
            migrations, configuration: pool.configuration, loop: pool.loop, log: log, lockKey: lockKey(of: pool),
            lockTimeout: lockTimeout, tableLockTimeout: tableLockTimeout
        ).map(\.version)
    }

    /// One for each schema: advisory locks are shared by the whole database, and other tests migrate too.
    private func lockKey(of pool: PGPool) -> Int64 {
        let schema = pool.configuration.sessionParameters["search_path"] ?? ""
        return schema.utf8.reduce(1) { ($0 &* 31 &+ Int64($1)) & 0xFFFF_FFFF_FFFF }
    }

    @Test("applies what is missing, in order, once, and says so in one line each")
    func applies() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let lines = Lock([String]())
            let log = Log(service: "test", format: .text) { line in
                lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
            }
            let before = try await Migrator.pending(
                [two, one], configuration: pool.configuration, loop: pool.loop, log: .disabled)
            #expect(before == [one, two])
            #expect(try await migrate(pool, [two, one], log: log) == [1, 2])
            #expect(try await migrate(pool, [one, two]) == [])
            #expect(lines.withLock { $0 }.count { $0.contains("migration applied") } == 2)
            let rows = try await pool.query(
                "SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version")
            #expect(try rows.map { row throws in try row.text("name") } == ["one", "two"])
            #expect(try rows[0].text("checksum") == one.checksum)
            #expect(try await pool.query("SELECT count(*) AS n FROM a")[0].int("n") == 1)
        }
    }

    @Test("two that start together apply each migration once between them")
    func concurrent() async throws {
        try await TestDatabase.withSchema { pool, _ in
            async let first = migrate(pool, [one, two])
            async let second = migrate(pool, [one, two])
            let applied = try await first + second
            #expect(applied.sorted() == [1, 2])
            #expect(try await pool.query("SELECT count(*) AS n FROM a")[0].int("n") == 1)
        }
    }

    @Test("gives up when another holds the lock for too long")
    func locked() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let holder = try await PGConnection.open(pool.configuration, loop: pool.loop, log: .disabled)
            #expect(try await holder.query("SELECT pg_try_advisory_lock(\(lockKey(of: pool))) AS mine")[0].bool("mine"))
            let error = await #expect(throws: MigrationError.self) {
                try await migrate(pool, [one], lockTimeout: .milliseconds(50))
            }
            #expect(error?.code == .lockTimeout)
            await holder.close()
        }
    }

    /// A backup counts rows in a snapshot and then starts pg_dump, which locks each table again.
    @Test("waits for a table that a backup reads without keeping the backup's next reader out")
    func tableInUse() async throws {
        try await TestDatabase.withSchema { pool, _ in
            _ = try await migrate(pool, [one])
            let change = Migration(version: 2, name: "change", sql: "ALTER TABLE a ADD m bigint")
            let snapshot = try await PGConnection.open(pool.configuration, loop: pool.loop, log: .disabled)
            _ = try await snapshot.execute("BEGIN")
            _ = try await snapshot.query("SELECT count(*) FROM a")
            let (waits, waiting) = AsyncStream<Void>.makeStream()
            let log = Log(service: "test", format: .text) { line in
                if String(decoding: line, as: UTF8.self).contains("migration waits for a table") { waiting.yield() }
            }
            async let applied = migrate(pool, [one, change], log: log)
            for await _ in waits { break }
            #expect(try await pool.query("SELECT count(*) AS n FROM a")[0].int("n") == 0)
            await snapshot.close()
            #expect(try await applied == [2])
        }
    }

    @Test("gives up when a table stays in use, and leaves no trace")
    func tableStaysInUse() async throws {
        try await TestDatabase.withSchema { pool, _ in
            _ = try await migrate(pool, [one])
            let change = Migration(
                version: 2, name: "change", sql: "CREATE TABLE c (n bigint); ALTER TABLE a ADD m bigint")
            let reader = try await PGConnection.open(pool.configuration, loop: pool.loop, log: .disabled)
            _ = try await reader.execute("BEGIN")
            _ = try await reader.query("SELECT count(*) FROM a")
            let error = await #expect(throws: MigrationError.self) {
                try await migrate(pool, [one, change], tableLockTimeout: .zero)
            }
            #expect(error?.cause?.sqlState == .lockNotAvailable)
            await reader.close()
            #expect(try await pool.query("SELECT to_regclass('c') IS NULL AS gone")[0].bool("gone"))
        }
    }

    @Test("a migration that fails leaves no trace, and those before it stay")
    func failing() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let bad = Migration(
                version: 2, name: "bad", sql: "CREATE TABLE c (n bigint);\n\nINSERT INTO nowhere VALUES (1);")
            let error = await #expect(throws: MigrationError.self) { try await migrate(pool, [one, bad]) }
            #expect(error?.code == .failed)
            #expect(error?.cause?.sqlState == .undefinedTable)
            #expect(error?.message.contains("line 3") == true)
            let isGone = try await pool.query("SELECT to_regclass('c') IS NULL AS gone")[0].bool("gone")
            #expect(isGone)
            let applied = try await migrate(pool, [one, two])
            #expect(applied == [2])
        }
    }

    @Test("a changed text is an error")
    func checksum() async throws {
        try await TestDatabase.withSchema { pool, _ in
            _ = try await migrate(pool, [one])
            let changed = Migration(version: 1, name: "one", sql: one.sql + " ")
            let error = await #expect(throws: MigrationError.self) { try await migrate(pool, [changed, two]) }
            #expect(error?.code == .checksumMismatch)
        }
    }

    @Test("a newer schema is accepted while its unknown migrations are marked compatible")
    func newerSchema() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let additive = Migration(version: 3, name: "more", sql: "-- compatible\nALTER TABLE a ADD m bigint")
            _ = try await migrate(pool, [one, two, additive])
            #expect(try await migrate(pool, [one, two]) == [])
            let breaking = Migration(version: 4, name: "less", sql: "ALTER TABLE a DROP n")
            _ = try await migrate(pool, [one, two, additive, breaking])
            let error = await #expect(throws: MigrationError.self) { try await migrate(pool, [one, two, additive]) }
            #expect(error?.code == .schemaIsNewer)
        }
    }

    @Test("a step that was never applied may not come before an applied one")
    func outOfOrder() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let three = Migration(version: 3, name: "three", sql: "SELECT 1")
            _ = try await migrate(pool, [one, three])
            let error = await #expect(throws: MigrationError.self) { try await migrate(pool, [one, two, three]) }
            #expect(error?.code == .outOfOrder)
        }
    }

    @Test("an index is built concurrently outside a transaction")
    func noTransaction() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let index = Migration(
                version: 2, name: "index", sql: "-- no-transaction\n-- compatible\nCREATE INDEX CONCURRENTLY i ON a (n)"
            )
            #expect(index.noTransaction && index.isCompatible)
            let applied = try await migrate(pool, [one, index])
            #expect(applied == [1, 2])
            let isThere = try await pool.query("SELECT to_regclass('i') IS NOT NULL AS there")[0].bool("there")
            #expect(isThere)
        }
    }
}

@Suite("Migration files")
struct MigrationFileTests {
    @Test("number and name come from the file's name")
    func name() throws {
        let migration = try Migrator.Migration(fileName: "0012_add_budgets.sql", sql: "SELECT 1 -- compatible")
        #expect(migration.version == 12)
        #expect(migration.name == "add_budgets")
        #expect(!migration.isCompatible && !migration.noTransaction)
    }

    @Test(
        "other names are refused",
        arguments: ["add.sql", "x_add.sql", "0_zero.sql", "1_add.txt", "_add.sql", "-1_a.sql"])
    func malformed(fileName: String) {
        let error = #expect(throws: MigrationError.self) { try Migrator.Migration(fileName: fileName, sql: "") }
        #expect(error?.code == .malformed)
    }
}

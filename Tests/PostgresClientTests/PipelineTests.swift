import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

@Suite("Pipelined statements", .needsPostgres)
struct PipelineTests {
    @Test("an error in the middle fails its own caller only", arguments: [true, false])
    func errorInTheMiddle(namedStatements: Bool) async throws {
        try await TestDatabase.withSchema(poolSize: 1, configure: { $0.namedStatements = namedStatements }) { pool, _ in
            try await pool.ping()
            let outcomes = await withTaskGroup(of: (Int, String).self) { group in
                for number in 0..<50 {
                    group.addTask {
                        do {
                            let row = try await pool.query("SELECT 100 / \(number % 5) AS v, \(number) AS n")[0]
                            return (number, "\(try row.int("v")) for \(try row.int("n"))")
                        } catch { return (number, (error as? PGError)?.sqlState?.rawValue ?? "\(error)") }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for number in 0..<50 {
                #expect(outcomes[number] == (number % 5 == 0 ? "22012" : "\(100 / (number % 5)) for \(number)"))
            }
            #expect(
                try await pool.query(
                    "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = current_setting('application_name')"
                )[0].int("n") == 1)
        }
    }

    @Test("a batch is all or nothing")
    func batch() async throws {
        try await TestDatabase.withSchema { pool, _ in
            _ = try await pool.execute("CREATE TABLE t (n bigint PRIMARY KEY)")
            let results = try await pool.batch(["INSERT INTO t VALUES (\(1)), (\(2))", "SELECT n FROM t ORDER BY n"])
            #expect(results[0].affected == 2)
            #expect(try results[1].rows.map { row throws in try row.int("n") } == [1, 2])
            let error = await #expect(throws: PGError.self) {
                try await pool.batch(["INSERT INTO t VALUES (\(3))", "INSERT INTO t VALUES (\(1))", "SELECT 1"])
            }
            #expect(error?.sqlState == .uniqueViolation)
            #expect(error?.constraint == "t_pkey")
            #expect(try await pool.query("SELECT count(*) AS n FROM t")[0].int("n") == 2)
        }
    }

    @Test("a constraint that fails at the commit of a single statement is reported, not lost")
    func deferredConstraint() async throws {
        try await TestDatabase.withSchema { pool, _ in
            _ = try await pool.execute("CREATE TABLE t (n bigint CONSTRAINT once UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            _ = try await pool.execute("INSERT INTO t VALUES (1)")
            let error = await #expect(throws: PGError.self) { try await pool.execute("INSERT INTO t VALUES (1)") }
            #expect(error?.sqlState == .uniqueViolation)
            #expect(error?.constraint == "once")
            #expect(error?.isAmbiguousCommit == false)
            #expect(try await pool.query("SELECT count(*) AS n FROM t")[0].int("n") == 1)
        }
    }

    @Test("a statement that a schema change made stale is prepared again, unseen by the caller")
    func staleStatement() async throws {
        try await TestDatabase.withSchema(poolSize: 1) { pool, _ in
            _ = try await pool.execute("CREATE TABLE t (a bigint)")
            _ = try await pool.execute("INSERT INTO t VALUES (1)")
            let all: SQL = "SELECT * FROM t"
            #expect(try await pool.query(all)[0].columnNames == ["a"])
            _ = try await pool.execute("ALTER TABLE t ADD b text DEFAULT 'x'")
            #expect(try await pool.query(all)[0].columnNames == ["a", "b"])
            _ = try await pool.execute("DEALLOCATE ALL")
            #expect(try await pool.query(all)[0].text("b") == "x")
        }
    }

    @Test("more statements than the cache keeps are deallocated on the server too")
    func boundedCache() async throws {
        try await TestDatabase.withSchema(poolSize: 1) { pool, _ in
            for number in 0..<(PGConfiguration.maxPreparedStatements + 50) {
                #expect(try await pool.query(SQL(text: "SELECT \(number) AS n"))[0].int("n") == number)
            }
            let kept = try await pool.query("SELECT count(*) AS n FROM pg_prepared_statements")[0].int("n")
            #expect(kept <= PGConfiguration.maxPreparedStatements + 1)
            #expect(kept > PGConfiguration.maxPreparedStatements / 2)
        }
    }

    @Test("without named statements the server keeps none, and session parameters hold inside transactions")
    func poolerMode() async throws {
        try await TestDatabase.withSchema(poolSize: 1, configure: { $0.namedStatements = false }) { pool, schema in
            _ = try await pool.query("SELECT \(1) AS n")
            #expect(try await pool.query("SELECT count(*) AS n FROM pg_prepared_statements")[0].int("n") == 0)
            let inside = try await pool.withTransaction {
                try await $0.query("SELECT current_schema() AS s")[0].text("s")
            }
            #expect(inside == schema)
            #expect(try await pool.query("SELECT current_setting('search_path') AS s")[0].text("s") != schema)
        }
    }

    @Test("a large answer and large parameters arrive whole")
    func large() async throws {
        try await TestDatabase.withSchema(poolSize: 1) { pool, _ in
            let bytes = [UInt8](repeating: 7, count: 5_000_000)
            let row = try await pool.query("SELECT \(bytes) AS b, length(\(bytes)) AS n")[0]
            #expect(try row.int("n") == bytes.count)
            #expect(try row.bytes("b") == bytes)
            let rows = try await pool.query("SELECT g AS n, repeat('x', 100) AS t FROM generate_series(1, 20000) g")
            #expect(rows.count == 20000)
            #expect(try rows[19999].int("n") == 20000 && rows[0].text("t").count == 100)
        }
    }
}

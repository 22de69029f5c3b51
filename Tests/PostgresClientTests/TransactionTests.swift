import Platform
import PostgresClient
import Sockets
import TestSupport
import Testing

private struct Refusal: Error {}

@Suite("Transactions", .needsPostgres)
struct TransactionTests {
    private func withTable(poolSize: Int = 4, _ body: (PGPool, String) async throws -> Void) async throws {
        try await TestDatabase.withSchema(poolSize: poolSize) { pool, schema in
            _ = try await pool.execute("CREATE TABLE t (n bigint PRIMARY KEY)")
            try await body(pool, schema)
        }
    }

    private func count(_ pool: PGPool) async throws -> Int {
        try await pool.query("SELECT count(*) AS n FROM t")[0].int("n")
    }

    @Test("what returns commits, what throws leaves no trace")
    func commitAndRollback() async throws {
        try await withTable { pool, _ in
            let value = try await pool.withTransaction { transaction in
                _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                #expect(try await count(pool) == 0)
                return try await transaction.query("SELECT n FROM t")[0].int("n")
            }
            #expect(value == 1)
            #expect(try await count(pool) == 1)
            await #expect(throws: Refusal.self) {
                try await pool.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (2)")
                    throw Refusal()
                }
            }
            #expect(try await count(pool) == 1)
        }
    }

    @Test("several statements travel together, and the first error fails them all")
    func pipelined() async throws {
        try await withTable { pool, _ in
            let rows = try await pool.withTransaction {
                try await $0.queryPipelined([
                    "INSERT INTO t VALUES (1), (2)", "SELECT n FROM t ORDER BY n", "SELECT 9 AS n",
                ])
            }
            #expect(rows.map(\.count) == [0, 2, 1])
            #expect(try rows[2][0].int("n") == 9)
            let error = await #expect(throws: PGError.self) {
                try await pool.withTransaction {
                    try await $0.queryPipelined(["INSERT INTO t VALUES (3)", "SELECT 1/0", "SELECT 1"])
                }
            }
            #expect(error?.sqlState == .divisionByZero)
            #expect(try await count(pool) == 2)
        }
    }

    @Test("the last statements and the commit travel together; then the transaction is over")
    func commitsAfter() async throws {
        try await withTable(poolSize: 1) { pool, _ in
            let late = await #expect(throws: PGError.self) {
                try await pool.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                    try await transaction.commit(after: ["INSERT INTO t VALUES (2)"])
                    _ = try await transaction.execute("INSERT INTO t VALUES (3)")
                }
            }
            #expect(late?.code == .closed)
            let error = await #expect(throws: PGError.self) {
                try await pool.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (4)")
                    try await transaction.commit(after: ["SELECT 1/0"])
                }
            }
            #expect(error?.sqlState == .divisionByZero)
            let kept = try await count(pool)
            #expect(kept == 2)
        }
    }

    @Test("a failure that the body swallows still can not commit")
    func swallowedFailure() async throws {
        try await withTable(poolSize: 1) { pool, _ in
            let error = await #expect(throws: PGError.self) {
                try await pool.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                    _ = try? await transaction.query("SELECT 1/0")
                }
            }
            #expect(error?.sqlState == .inFailedTransaction)
            let left = try await count(pool)
            #expect(left == 0)
        }
    }

    @Test(
        "the isolation level is the one asked for",
        arguments: [
            (PGIsolation.readCommitted, "read committed"), (.repeatableRead, "repeatable read"),
            (.serializable, "serializable"), (.readOnlySnapshot, "repeatable read"),
        ])
    func isolation(level: PGIsolation, name: String) async throws {
        try await TestDatabase.withSchema { pool, _ in
            let shown = try await pool.withTransaction(level) {
                try await $0.query("SELECT current_setting('transaction_isolation') AS v")[0].text("v")
            }
            #expect(shown == name)
        }
    }

    @Test("a transaction kept past its closure is closed, and its connection serves others")
    func escaped() async throws {
        try await withTable(poolSize: 1) { pool, _ in
            var kept: PGTransaction?
            try await pool.withTransaction { kept = $0 }
            let transaction = try #require(kept)
            let error = await #expect(throws: PGError.self) {
                try await transaction.execute("INSERT INTO t VALUES (1)")
            }
            #expect(error?.code == .closed)
            #expect(try await count(pool) == 0)
        }
    }

    @Test("a connection killed inside a transaction says that nothing was committed")
    func killedInside() async throws {
        try await withTable { pool, _ in
            let error = await #expect(throws: PGError.self) {
                try await pool.withTransaction { transaction in
                    let pid = try await transaction.query("SELECT pg_backend_pid() AS p")[0].int("p")
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                    _ = try await TestDatabase.administer(
                        "SELECT pg_terminate_backend(\(pid)::int, 5000)", on: pool.loop)
                    _ = try await transaction.execute("INSERT INTO t VALUES (2)")
                }
            }
            #expect(error?.code == .connectionLost)
            #expect(error?.isAmbiguousCommit == false)
            #expect(error?.isRetryable == true)
            let left = try await count(pool)
            #expect(left == 0)
        }
    }

    @Test("a connection killed while COMMIT runs says that it may have committed")
    func killedDuringCommit() async throws {
        try await withTable { pool, schema in
            // A deferred trigger waits at COMMIT for an advisory lock that the test holds.
            let blocker = try await Blocker(pool)
            try await pool.withTransaction { transaction in
                _ = try await transaction.execute(
                    """
                    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM pg_advisory_xact_lock(\(raw: String(blocker.key))); RETURN NULL; END $$
                    """)
                _ = try await transaction.execute(
                    """
                    CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION wait()
                    """)
            }
            let transaction = Task {
                try await pool.withTransaction { _ = try await $0.execute("INSERT INTO t VALUES (1)") }
            }
            try await blocker.kill(try await blocker.waiter())
            let error = await #expect(throws: PGError.self) { try await transaction.value }
            #expect(error?.isAmbiguousCommit == true)
            #expect(error?.isRetryable == false)
            await blocker.release()
            #expect(try await count(pool) == 0)
        }
    }

    @Test("a transaction past its deadline is closed and leaves no trace")
    func deadline() async throws {
        try await withTable { pool, _ in
            let error = await #expect(throws: PGError.self) {
                try await pool.withTransaction(timeout: .milliseconds(100)) { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                    _ = try await transaction.query("SELECT pg_sleep(60)")
                }
            }
            #expect(error?.code == .timeout)
            let left = try await count(pool)
            #expect(left == 0)
        }
    }

    @Test("a cancelled transaction rolls back, and its statement stops on the server")
    func cancelled() async throws {
        try await withTable { pool, _ in
            let blocker = try await Blocker(pool)
            let task = Task {
                try await pool.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                    _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(blocker.key))")
                }
            }
            let pid = try await blocker.waiter()
            task.cancel()
            let error = await #expect(throws: PGError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            // The lock is still held: only a cancel request ends the statement.
            try await blocker.gone(pid)
            #expect(try await count(pool) == 0)
            await blocker.release()
        }
    }
}

import Platform
import PostgresClient
import Sockets

/// Holds an advisory lock, so that a test's statements wait exactly where and as long as it wants.
struct Blocker {
    let key = Int64.random(in: 1...(1 << 60))
    private let holder: PGConnection

    init(_ pool: PGPool) async throws {
        holder = try await PGConnection.open(pool.configuration, loop: pool.loop, log: .disabled)
        _ = try await holder.query("SELECT pg_advisory_lock(\(key))")
    }

    /// Returns the server process that waits for the lock, as soon as there is one.
    func waiter() async throws -> Int {
        let waiting: SQL = """
            SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
            AND classid::bigint << 32 | objid::bigint = \(key)
            """
        while true {
            if let row = try await holder.query(waiting).first { return try row.int("pid") }
        }
    }

    /// Returns when the server process is gone.
    func gone(_ pid: Int) async throws {
        while try await !holder.query("SELECT 1 FROM pg_stat_activity WHERE pid = \(pid)::int").isEmpty {}
    }

    func kill(_ pid: Int) async throws { _ = try await holder.query("SELECT pg_terminate_backend(\(pid)::int, 5000)") }

    func release() async { await holder.close() }
}

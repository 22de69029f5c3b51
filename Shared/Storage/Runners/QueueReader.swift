package import Domain
package import PostgresClient

/// How many debates wait and run, and who is there to run them.
package struct QueueStatus: Sendable, Hashable {
    package let waiting: Int
    package let running: Int
    package let paused: Int
    /// Since when the one that waits longest has been waiting.
    package let oldestWaiting: Timestamp?
    /// Since when the oldest running debate exists.
    package let oldestRunning: Timestamp?
    /// Live runners that are workers.
    package let workers: Int
    /// Debates that all live runners can run at a time.
    package let capacity: Int
}

/// Reads the queue. Counted in Postgres, so that every replica says the same.
package struct QueueReader: Sendable {
    let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// - Throws: ``StorageError``.
    package func status() async throws(StorageError) -> QueueStatus {
        do {
            let rows = try await pool.query(Self.statement)
            guard let row = rows.first else { throw StorageError(.broken, "queue: no row") }
            return QueueStatus(
                waiting: try row.int("waiting"), running: try row.int("running"), paused: try row.int("paused"),
                oldestWaiting: try row.optionalTimestamp("oldest_waiting"),
                oldestRunning: try row.optionalTimestamp("oldest_running"), workers: try row.int("workers"),
                capacity: try row.int("capacity"))
        } catch let error as PGError {
            throw StorageError(error, "queue")
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.unavailable, "queue: \(error)")
        }
    }

    /// Live runners of kind `worker`; an embedded runner rests while there is one.
    /// - Throws: ``StorageError``.
    package func liveWorkerCount() async throws(StorageError) -> Int {
        do {
            let rows = try await pool.query(
                "SELECT count(*) AS workers FROM runners WHERE kind = 'worker' AND expires_at > now()")
            return try rows.first?.int("workers") ?? 0
        } catch {
            throw StorageError(error, "workers")
        }
    }

    private static let statement: SQL = """
        SELECT count(*) FILTER (WHERE status = 'queued') AS waiting, count(*) FILTER (WHERE status = 'running') AS running,
               count(*) FILTER (WHERE status = 'paused') AS paused,
               min(queued_at) FILTER (WHERE status = 'queued') AS oldest_waiting,
               min(created_at) FILTER (WHERE status = 'running') AS oldest_running,
               (SELECT count(*) FROM runners WHERE kind = 'worker' AND expires_at > now()) AS workers,
               (SELECT coalesce(sum(capacity), 0)::bigint FROM runners WHERE expires_at > now()) AS capacity
        FROM debate_runs WHERE status IN \(raw: SQLFragments.open)
        """
}

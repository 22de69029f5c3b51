package import Domain
package import PostgresClient

/// Looks at an installation's tables, for `doctor`: one connection, reads only.
package struct StoreInspection: Sendable {
    /// Debates of one list.
    package static let maxListed = 1000

    /// Who runs debates, and how the backups went.
    package struct Facts: Sendable {
        /// Runners with a live lease, embedded ones included.
        package let liveRunners: Int
        package let waiting: Int
        /// Debates they can run at a time.
        package let capacity: Int
        /// Began, newest verified one; milliseconds since 1970.
        package let newestBackup: Int64?
        /// Why the last run failed, when the last one that ended did.
        package let lastBackupFailure: String?
    }

    private let connection: PGConnection

    package init(connection: PGConnection) { self.connection = connection }

    /// Postgres's clock, in milliseconds since 1970.
    /// - Throws: ``StorageError``.
    package func clock() async throws(StorageError) -> Int64 {
        try await read("clock") { connection throws(PGError) in
            try await connection.query("SELECT clock_timestamp() AS now")[0].milliseconds("now")
        }
    }

    /// - Throws: ``StorageError``.
    package func facts() async throws(StorageError) -> Facts {
        try await read("inspection") { connection throws(PGError) in
            let row = try await connection.query(Self.statement)[0]
            return Facts(
                liveRunners: try row.int("live"), waiting: try row.int("waiting"), capacity: try row.int("capacity"),
                newestBackup: try row.optionalMilliseconds("newest"),
                lastBackupFailure: try row.optionalText("failure"))
        }
    }

    /// Debates that have waited for longer than `age`, oldest first; at most ``maxListed``.
    /// - Throws: ``StorageError``.
    package func waiting(longerThan age: Duration) async throws(StorageError) -> [DebateID] {
        try await read("waiting") { connection throws(PGError) in
            let rows = try await connection.query(
                """
                SELECT debate_id FROM debate_runs
                WHERE status = 'queued' AND queued_at < now() - \(age.components.seconds) * interval '1 second'
                ORDER BY queued_at LIMIT \(Self.maxListed)
                """)
            var debates: [DebateID] = []
            for row in rows { if let debate = DebateID(try row.text("debate_id")) { debates.append(debate) } }
            return debates
        }
    }

    /// Of these debates, the newest event of each that exists here.
    /// - Throws: ``StorageError``.
    package func newest(of debates: [DebateID]) async throws(StorageError) -> [DebateID: Int64] {
        try await read("newest") { connection throws(PGError) in
            let rows = try await connection.query(
                "SELECT debate_id, last_seq FROM debate_runs WHERE debate_id = ANY(\(debates.map(\.text)))")
            var newest: [DebateID: Int64] = [:]
            for row in rows {
                if let debate = DebateID(try row.text("debate_id")) { newest[debate] = try row.int64("last_seq") }
            }
            return newest
        }
    }

    private func read<Value>(
        _ what: String, _ body: (PGConnection) async throws(PGError) -> Value
    ) async throws(StorageError) -> Value {
        do throws(PGError) { return try await body(connection) } catch { throw StorageError(error, what) }
    }

    private static let statement: SQL = """
        SELECT (SELECT count(*) FROM runners WHERE expires_at > now()) AS live,
               (SELECT coalesce(sum(capacity), 0)::bigint FROM runners WHERE expires_at > now()) AS capacity,
               (SELECT count(*) FROM debate_runs WHERE status = 'queued') AS waiting,
               (SELECT max(started_at) FROM backups WHERE status = 'verified') AS newest,
               (SELECT CASE WHEN status = 'failed' THEN coalesce(failure, 'no reason given') END FROM backups
                WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1) AS failure
        """
}

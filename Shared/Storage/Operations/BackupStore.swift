import Domain
package import PostgresClient

/// What happened to each backup, for operators and metrics; the files and their manifests are the truth.
package struct BackupStore: Sendable {
    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// What a dump's snapshot says of the log and its schema.
    package struct SnapshotFacts: Sendable, Equatable {
        package let generation: Int64
        /// The newest migration that was applied.
        package let schemaVersion: Int64
    }

    /// - Parameter transaction: with one snapshot, the one that is dumped.
    /// - Throws: ``StorageError``.
    package static func facts(in transaction: PGTransaction) async throws(StorageError) -> SnapshotFacts {
        do {
            let rows = try await transaction.query(
                "SELECT generation, (SELECT max(version) FROM schema_migrations) AS version FROM installation")
            guard let row = rows.first else { throw StorageError(.broken, "the installation has no row") }
            return SnapshotFacts(generation: try row.int64("generation"), schemaVersion: try row.int64("version"))
        } catch {
            throw StorageError.wrap(error, "backup facts")
        }
    }

    /// Marks runs that never came to an end. Only the holder of the backup lock may say so.
    /// - Throws: ``StorageError``.
    package func abandonUnfinished() async throws(StorageError) {
        try await write(
            "UPDATE backups SET status = 'failed', failure = 'killed', finished_at = now() WHERE status = 'in_progress'"
        )
    }

    /// - Throws: ``StorageError``.
    package func begin(id: String, file: String, generation: Int64) async throws(StorageError) {
        try await write(
            """
            INSERT INTO backups (id, status, file, generation) VALUES (\(id), 'in_progress', \(file), \(generation))
            ON CONFLICT (id) DO NOTHING
            """)
    }

    /// The file was restored once, and what was restored is what was dumped.
    /// - Parameter rowCounts: a JSON object.
    /// - Throws: ``StorageError``.
    package func verified(
        id: String, sizeBytes: Int64, checksum: String, rowCounts: String
    ) async throws(StorageError) {
        try await write(
            """
            UPDATE backups SET status = 'verified', size_bytes = \(sizeBytes), checksum = \(checksum),
                   row_counts = \(rowCounts)::jsonb, restore_tested = true, finished_at = now(), verified_at = now()
            WHERE id = \(id)
            """)
    }

    /// - Throws: ``StorageError``.
    package func failed(id: String, reason: String) async throws(StorageError) {
        try await write(
            "UPDATE backups SET status = 'failed', failure = \(reason), finished_at = now() WHERE id = \(id)")
    }

    /// The file was removed by the retention.
    /// - Throws: ``StorageError``.
    package func expired(file: String) async throws(StorageError) {
        try await write("UPDATE backups SET status = 'expired' WHERE file = \(file) AND status = 'verified'")
    }

    private func write(_ sql: SQL) async throws(StorageError) {
        do { _ = try await pool.execute(sql) } catch { throw StorageError.wrap(error, "backups") }
    }
}

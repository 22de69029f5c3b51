package import Domain
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

    /// A backup as it was noted.
    package struct Noted: Sendable {
        package let id: String
        package let status: String
        package let file: String
        package let sizeBytes: Int64?
        package let checksum: String?
        /// Of all tables.
        package let rows: Int64
        package let generation: Int64
        package let wasRestored: Bool
        package let failure: String?
        package let startedAt: Timestamp
        package let finishedAt: Timestamp?
        package let verifiedAt: Timestamp?
    }

    package static let limitRange = 1...100

    /// The newest first, and the newest that was restored once and whose file is kept, however old.
    /// - Throws: ``StorageError``.
    package func list(
        limit: Int, offset: Int
    ) async throws(StorageError) -> (page: Page<Noted>, lastVerified: Noted?) {
        let limit = min(max(limit, Self.limitRange.lowerBound), Self.limitRange.upperBound)
        do {
            let answers = try await pool.batch([
                "SELECT count(*) AS total FROM backups",
                """
                SELECT \(raw: Self.columns) FROM backups b ORDER BY started_at DESC, id DESC
                LIMIT \(limit) OFFSET \(max(0, offset))
                """,
                """
                SELECT \(raw: Self.columns) FROM backups b WHERE status = 'verified'
                ORDER BY started_at DESC, id DESC LIMIT 1
                """,
            ])
            return (
                Page(items: try answers[1].rows.map(Self.noted), total: try answers[0].rows.first?.int("total") ?? 0),
                try answers[2].rows.first.map(Self.noted)
            )
        } catch {
            throw StorageError.wrap(error, "backups")
        }
    }

    private static let columns = """
        id, status, file, size_bytes, checksum, generation, restore_tested, failure, started_at, finished_at, verified_at,
        (SELECT coalesce(sum(value::bigint), 0)::bigint FROM jsonb_each_text(b.row_counts)) AS row_total
        """

    private static func noted(_ row: Row) throws(PGError) -> Noted {
        Noted(
            id: try row.text("id"), status: try row.text("status"), file: try row.text("file"),
            sizeBytes: try row.optionalInt64("size_bytes"), checksum: try row.optionalText("checksum"),
            rows: try row.int64("row_total"), generation: try row.int64("generation"),
            wasRestored: try row.bool("restore_tested"), failure: try row.optionalText("failure"),
            startedAt: try row.timestamp("started_at"), finishedAt: try row.optionalTimestamp("finished_at"),
            verifiedAt: try row.optionalTimestamp("verified_at"))
    }

    private func write(_ sql: SQL) async throws(StorageError) {
        do { _ = try await pool.execute(sql) } catch { throw StorageError.wrap(error, "backups") }
    }
}

import PostgresClient

/// What must be true of a backup service that has ended.
extension Stack {
    /// Notes what a stopped backup service left half done. Before its successor starts: that would clear it away.
    /// - Parameter folder: where it made its backups.
    package func auditStoppedBackup(in folder: String) async throws {
        for file in StackFolder.files(in: folder) where file.hasSuffix(".partial") { note("a backup left \(file)") }
        for row in try await pool.query("SELECT file FROM backups WHERE status IN ('pending', 'in_progress')") {
            note("a backup left the row of \(try row.text("file")) as if it were under way")
        }
        for name in try await scratchDatabases() { note("a backup left the database \(name)") }
    }

    /// The databases in which backups of this one are tried.
    package func scratchDatabases() async throws -> [String] {
        try await pool.query(
            """
            SELECT d.datname::text AS name FROM pg_database d, pg_database own
            WHERE own.datname = current_database() AND starts_with(d.datname, 'aragora_restore_check_' || own.oid || '_')
            """
        ).map { try $0.text("name") }
    }
}

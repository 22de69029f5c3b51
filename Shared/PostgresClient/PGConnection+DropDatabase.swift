extension PGConnection {
    /// Drops a database of this role, if there is one, and ends the sessions that are in it.
    ///
    /// `WITH (FORCE)` refuses (42501) while autovacuum works there, as its worker belongs to no role; a plain DROP asks the
    /// worker to go and waits for it (5 s in Postgres 15), but ends no session. A role that is no superuser needs both.
    /// - Parameter name: as it is; it is quoted here.
    /// - Throws: ``PGError``; `.server` with ``SQLState/objectInUse`` when a session of another role stays in it.
    package func dropDatabase(_ name: String, timeout: Duration? = nil) async throws(PGError) {
        do {
            _ = try await execute("DROP DATABASE IF EXISTS \(raw: Self.quoted(name)) WITH (FORCE)", timeout: timeout)
        } catch  where error.sqlState == .insufficientPrivilege {
            try await dropDatabaseWithoutForce(name, timeout: timeout)
        }
    }

    /// The same by ending this role's own sessions first, and asking only autovacuum to go.
    func dropDatabaseWithoutForce(_ name: String, timeout: Duration?) async throws(PGError) {
        _ = try await query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = \(name) AND usename = current_user AND pid <> pg_backend_pid()
            """, timeout: timeout)
        _ = try await execute("DROP DATABASE IF EXISTS \(raw: Self.quoted(name))", timeout: timeout)
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : String($1) } + "\""
    }
}

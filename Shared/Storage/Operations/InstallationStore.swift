package import PostgresClient

/// Which life of which log this is. A Redis that was filled by another one can not answer for it.
package struct Installation: Sendable, Hashable {
    /// Raised by every restore.
    package let generation: Int64
    /// Made by initdb; differs between clusters.
    package let systemIdentifier: Int64
    /// Raised by a failover.
    package let timeline: Int64

    /// Tells apart the databases that a failover may bring.
    package var lineage: String { "\(systemIdentifier)-\(timeline)" }
}

/// Reads and raises the log's generation.
package struct InstallationStore: Sendable {
    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// Read again on every new connection to Postgres.
    /// - Throws: ``StorageError``.
    package func installation() async throws(StorageError) -> Installation {
        do {
            let rows = try await pool.query(Self.statement)
            guard let row = rows.first else { throw StorageError(.broken, "the installation has no row") }
            return try Self.decode(row)
        } catch {
            throw StorageError.wrap(error, "installation")
        }
    }

    /// The same on one connection, for a pool's connect hook.
    /// - Throws: ``StorageError``.
    package static func installation(on connection: PGConnection) async throws(StorageError) -> Installation {
        do {
            let rows = try await connection.query(statement)
            guard let row = rows.first else { throw StorageError(.broken, "the installation has no row") }
            return try decode(row)
        } catch let error as PGError where error.sqlState == .undefinedTable {
            throw StorageError(.unavailable, "no migration has run yet: aragora db migrate", underlying: error)
        } catch {
            throw StorageError.wrap(error, "installation")
        }
    }

    /// Begins a new life of the log, after a restore and before any service starts. Calling twice only skips a number.
    /// - Parameter used: the highest generation that this Redis may have seen already, when it is not the stored one: an
    ///   older backup restores an older number.
    /// - Returns: the new generation.
    /// - Throws: ``StorageError``.
    package func raiseGeneration(above used: Int64 = 0) async throws(StorageError) -> Int64 {
        do {
            let rows = try await pool.query(
                """
                UPDATE installation SET generation = greatest(generation, \(used)) + 1, changed_at = now()
                RETURNING generation
                """)
            guard let row = rows.first else { throw StorageError(.broken, "the installation has no row") }
            return try row.int64("generation")
        } catch {
            throw StorageError.wrap(error, "generation")
        }
    }

    /// The control file's timeline lags behind a promotion until the next checkpoint; the name of the WAL being written
    /// does not, but a standby has none.
    private static let statement: SQL = """
        SELECT generation, (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
               CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())::bigint
                    ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END AS timeline
        FROM installation
        """

    private static func decode(_ row: Row) throws(PGError) -> Installation {
        Installation(
            generation: try row.int64("generation"), systemIdentifier: try row.int64("system_identifier"),
            timeline: try row.int64("timeline"))
    }
}

package import Crypto
import Platform
package import PostgresClient

/// Seals stored secrets anew after a change of the encryption key.
///
/// Each batch is one transaction that first takes the rotation's row: whoever dies leaves whole rows, sealed under one key or
/// the other, and a lease that runs out; whoever lost the lease changes nothing.
package struct KeyRotationStore: Sendable {
    /// Rotations that ``standing()`` tells of.
    package static let maxListed = 10

    /// Where a pass has come to.
    package struct Place: Sendable {
        var column = 0
        var last = ""
        package init() {}
    }

    package enum Begin: Sendable {
        /// It is ours to do.
        case begun(KeyRotation)
        /// Somebody else is at it.
        case held(KeyRotation)
        /// A newer key is in use elsewhere: sealing under ours would undo it.
        case outdated(newest: String)
    }

    package enum Step: Sendable {
        case more(Place)
        case done
        /// Somebody else took it over, or a newer key came.
        case lost
    }

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    // MARK: Knowing

    /// Notes a key that was never seen: it is the newest from then on.
    /// - Returns: the newest key's version.
    /// - Throws: ``StorageError``.
    package func learn(_ version: String) async throws(StorageError) -> String {
        try await run("learn") {
            let answers = try await pool.batch([
                "INSERT INTO encryption_keys (version) VALUES (\(version)) ON CONFLICT (version) DO NOTHING",
                "SELECT (\(raw: Self.newest)) AS version",
            ])
            return try answers[1].rows.first?.text("version") ?? version
        }
    }

    /// Says that this key is the one to seal under, also one that was in use before: on an operator's word only.
    /// - Throws: ``StorageError``.
    package func activate(_ version: String) async throws(StorageError) {
        try await run("activate") {
            _ = try await pool.execute(
                """
                INSERT INTO encryption_keys AS k (version) VALUES (\(version)) ON CONFLICT (version)
                DO UPDATE SET activated_at = clock_timestamp() WHERE k.version IS DISTINCT FROM (\(raw: Self.newest))
                """)
        }
    }

    private static let newest =
        "SELECT n.version FROM encryption_keys n ORDER BY n.activated_at DESC, n.version LIMIT 1"

    /// Counts secrets by key.
    /// - Throws: ``StorageError``.
    package func counts() async throws(StorageError) -> [SealedCount] {
        try await run("counts") {
            let answers = try await pool.batch(
                SealedColumn.all.map { column in
                    """
                    SELECT \(raw: column.version) AS version, count(*) AS n FROM \(raw: column.table)
                    WHERE \(raw: column.column) IS NOT NULL GROUP BY 1 ORDER BY 1
                    """
                })
            return try zip(SealedColumn.all, answers).flatMap { column, answer in
                try answer.rows.map {
                    SealedCount(column: column.name, version: try $0.text("version"), rows: try $0.int64("n"))
                }
            }
        }
    }

    /// - Throws: ``StorageError``.
    package func standing() async throws(StorageError) -> KeyStanding {
        let counts = try await counts()
        return try await run("standing") {
            let since = "(SELECT max(activated_at) FROM encryption_keys HAVING count(*) > 1)"
            let answers = try await pool.batch([
                "SELECT version, activated_at::timestamptz(3) AS activated_at FROM encryption_keys ORDER BY encryption_keys.activated_at DESC, version",
                "SELECT \(raw: KeyRotation.columns) FROM key_rotations ORDER BY id DESC LIMIT \(Self.maxListed)",
                """
                SELECT (SELECT count(*) FROM api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
                            AND greatest(created_at, last_used_at) < \(raw: since)) AS keys,
                       (SELECT count(*) FROM users WHERE cardinality(mfa_backup_codes) > 0
                            AND coalesce(mfa_backup_codes_at, '-infinity') < \(raw: since)) AS codes
                """,
            ])
            let aging = answers[2].rows.first
            return KeyStanding(
                keys: try answers[0].rows.map {
                    KnownKey(version: try $0.text("version"), activatedAt: try $0.timestamp("activated_at"))
                }, counts: counts,
                aging: AgingDigests(keys: try aging?.int64("keys") ?? 0, backupCodes: try aging?.int64("codes") ?? 0),
                rotations: try answers[1].rows.map(KeyRotation.init))
        }
    }

    // MARK: Rotating

    /// Begins a rotation, goes on with ours, or takes over one whose holder is gone.
    /// - Parameters:
    ///   - holder: this process.
    ///   - audit: written with a new rotation.
    /// - Throws: ``StorageError``.
    package func begin(
        _ version: String, holder: String, requestedBy: String, lease: Duration, _ audit: AuditEntry
    ) async throws(StorageError) -> Begin {
        try await run("begin") {
            try await pool.withTransaction { transaction in
                // Two who begin at once, one after the other.
                _ = try await transaction.query(
                    "SELECT pg_advisory_xact_lock(hashtextextended('aragora key rotation ' || current_schema(), 0))")
                let newest = try await transaction.query("SELECT (\(raw: Self.newest)) AS version").first
                guard let newest = try newest?.text("version"), newest == version else {
                    return .outdated(newest: try newest?.text("version") ?? "")
                }
                let open = try await transaction.query(
                    """
                    SELECT \(raw: KeyRotation.columns), lease_until < clock_timestamp() AS is_free FROM key_rotations
                    WHERE state = 'in_progress' FOR UPDATE
                    """
                ).first
                if let open {
                    let rotation = try KeyRotation(open)
                    if rotation.version == version {
                        guard try open.bool("is_free") || rotation.holder == holder else { return .held(rotation) }
                        let row = try await transaction.query(
                            """
                            UPDATE key_rotations SET holder = \(holder), lease_until = \(Self.expiry(lease)), updated_at = now()
                            WHERE id = \(rotation.id) RETURNING \(raw: KeyRotation.columns)
                            """
                        ).first
                        return .begun(try row.map(KeyRotation.init) ?? rotation)
                    }
                    _ = try await transaction.execute(
                        Self.end(rotation.id, .failed, reason: "a newer key came before it was done"))
                }
                let row = try await transaction.query(
                    """
                    INSERT INTO key_rotations (key_version, state, requested_by, holder, lease_until)
                    VALUES (\(version), 'in_progress', \(requestedBy), \(holder), \(Self.expiry(lease)))
                    RETURNING \(raw: KeyRotation.columns)
                    """
                ).first
                guard let row else { throw StorageError(.broken, "a rotation was inserted, and no row came") }
                try await AuditLog.append(audit, in: transaction)
                return .begun(try KeyRotation(row))
            }
        }
    }

    /// Seals one batch anew, after `place`.
    /// - Throws: ``StorageError``; nothing has happened, or the batch is whole: ask again from the same place.
    package func step(
        _ rotation: KeyRotation, holder: String, from place: Place, box: SecretBox, batch: Int, lease: Duration
    ) async throws(StorageError) -> Step {
        guard place.column < SealedColumn.all.count else { return .done }
        let column = SealedColumn.all[place.column]
        let step: Step = try await run("step") {
            try await pool.withTransaction { transaction in
                let fence = try await transaction.execute(
                    """
                    UPDATE key_rotations SET lease_until = \(Self.expiry(lease)), updated_at = now()
                    WHERE id = \(rotation.id) AND state = 'in_progress' AND holder = \(holder)
                      AND key_version = (\(raw: Self.newest))
                    """)
                guard fence == 1 else { return .lost }
                let rows = try await transaction.query(
                    """
                    SELECT \(raw: column.key) AS row_key, \(raw: column.column) AS sealed FROM \(raw: column.table)
                    WHERE \(raw: column.column) IS NOT NULL AND \(raw: column.version) <> \(rotation.version)
                      AND \(raw: column.key) COLLATE "C" > \(place.last) ORDER BY \(raw: column.key) COLLATE "C" LIMIT \(batch) FOR NO KEY UPDATE
                    """)
                var (ids, sealed, unreadable): ([String], [[UInt8]], Int64) = ([], [], 0)
                for row in rows {
                    let id = try row.text("row_key")
                    // What no key opens stays as it is: a key that was lost may be found.
                    guard let anew = try? box.reseal(try row.bytes("sealed"), for: column.purpose + id) else {
                        unreadable += 1
                        continue
                    }
                    ids.append(id)
                    sealed.append(anew)
                }
                _ = try await transaction.executePipelined([
                    """
                    UPDATE \(raw: column.table) t SET \(raw: column.column) = n.anew
                    FROM unnest(\(ids), \(sealed)) AS n (row_key, anew) WHERE \(raw: column.key) = n.row_key
                    """,
                    """
                    UPDATE key_rotations SET resealed = resealed + \(ids.count), unreadable = unreadable + \(unreadable)
                    WHERE id = \(rotation.id)
                    """,
                ])
                KillPoint.reach(.insideRotation)
                var next = place
                if rows.count < batch {
                    (next.column, next.last) = (place.column + 1, "")
                } else {
                    next.last = try rows.last?.text("row_key") ?? ""
                }
                return next.column < SealedColumn.all.count ? .more(next) : .done
            }
        }
        KillPoint.reach(.afterRotationBatch)
        return step
    }

    /// Closes it: completed when nothing is left under another key.
    /// - Returns: as it is then; nil when it was not ours any more.
    /// - Throws: ``StorageError``.
    package func finish(
        _ rotation: KeyRotation, holder: String, reason: String?, _ audit: (KeyRotation) -> AuditEntry
    ) async throws(StorageError) -> KeyRotation? {
        KillPoint.reach(.beforeRotationEnd)
        return try await run("finish") {
            try await pool.withTransaction { transaction in
                let row = try await transaction.query(
                    """
                    \(Self.end(rotation.id, reason == nil ? .completed : .failed, reason: reason)) AND holder = \(holder)
                    RETURNING \(raw: KeyRotation.columns)
                    """
                ).first
                guard let ended = try row.map(KeyRotation.init) else { return nil }
                try await AuditLog.append(audit(ended), in: transaction)
                return ended
            }
        }
    }

    private static func end(_ id: Int64, _ state: KeyRotation.State, reason: String?) -> SQL {
        """
        UPDATE key_rotations SET state = \(state.rawValue), ended_at = now(), updated_at = now(), reason = \(reason)
        WHERE id = \(id) AND state = 'in_progress'
        """
    }

    private static func expiry(_ lease: Duration) -> SQL {
        "clock_timestamp() + \(lease.milliseconds) * interval '1 millisecond'"
    }

    private func run<Value>(_ what: String, _ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, "key rotation: \(what)") }
    }
}

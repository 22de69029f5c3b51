package import Domain
package import PostgresClient

/// API keys: a user's own credentials for programs.
package struct APIKeyStore: Sendable {
    /// Live keys of one user.
    package static let maxPerUser = 50
    static let useInterval = "1 minute"

    let pool: PGPool

    package init(pool: PGPool) { self.pool = pool }

    /// A key that is to be.
    package struct NewKey: Sendable {
        package let id: APIKeyID
        package let user: UserID
        package let name: String
        package let prefix: String
        package let digest: [UInt8]
        package let scopes: Set<Permission>?
        package let expiresAt: Timestamp?

        package init(
            id: APIKeyID, user: UserID, name: String, prefix: String, digest: [UInt8], scopes: Set<Permission>?,
            expiresAt: Timestamp?
        ) {
            self.id = id
            self.user = user
            self.name = name
            self.prefix = prefix
            self.digest = digest
            self.scopes = scopes
            self.expiresAt = expiresAt
        }
    }

    /// - Returns: nil when the user has as many keys as one may have.
    /// - Throws: ``StorageError``.
    package func create(_ key: NewKey, _ entry: AuditEntry) async throws(StorageError) -> APIKeyRecord? {
        do {
            return try await pool.withTransaction { transaction in
                let answers = try await transaction.queryPipelined([
                    "SELECT id FROM users WHERE id = \(key.user) FOR UPDATE",
                    """
                    SELECT count(*) AS n FROM api_keys WHERE user_id = \(key.user) AND revoked_at IS NULL
                        AND (expires_at IS NULL OR expires_at > now())
                    """,
                ])
                guard try answers[1].first?.int("n") ?? 0 < Self.maxPerUser else { return nil }
                let scopes = key.scopes.map { $0.map(\.rawValue).sorted() }
                let stored: SQL = scopes.map { "\($0)" } ?? "NULL"
                let row = try await transaction.query(
                    """
                    INSERT INTO api_keys AS k (id, user_id, name, prefix, digest, scopes, expires_at)
                    VALUES (\(key.id), \(key.user), \(key.name), \(key.prefix), \(key.digest), \(stored),
                            to_timestamp(\(key.expiresAt?.milliseconds) / 1000.0))
                    RETURNING \(raw: AccountRows.key)
                    """
                ).first
                guard let row else { throw StorageError(.broken, "a key was inserted, and no row came") }
                try await AuditLog.append(entry, in: transaction)
                return try AccountRows.key(row)
            }
        } catch { throw StorageError.wrap(error, "create key") }
    }

    /// The key with one of these digests, and whose it is, while both are good.
    ///
    /// - Parameter digests: under the present key and those before it, in this order; what is found under an older one is
    ///   stored under the first.
    /// - Throws: ``StorageError``.
    package func find(_ digests: [[UInt8]]) async throws(StorageError) -> (key: APIKeyRecord, user: UserRecord)? {
        guard let first = digests.first else { return nil }
        do {
            let row = try await pool.query(
                """
                SELECT k.id AS key_id, k.digest FROM api_keys k JOIN users u ON u.id = k.user_id
                WHERE k.digest = ANY (\(digests)) AND k.revoked_at IS NULL AND u.is_active
                    AND (k.expires_at IS NULL OR k.expires_at > now())
                """
            ).first
            guard let row else { return nil }
            let id = try row.keyID("key_id")
            let answers = try await pool.batch([
                """
                UPDATE api_keys SET digest = \(first), last_used_at = now() WHERE id = \(id) AND (digest <> \(first)
                    OR last_used_at IS NULL OR last_used_at < now() - interval '\(raw: Self.useInterval)')
                """,
                "SELECT \(raw: AccountRows.key) FROM api_keys k WHERE k.id = \(id)",
                """
                SELECT \(raw: AccountRows.user) FROM users u JOIN api_keys a ON a.user_id = u.id WHERE a.id = \(id)
                """,
            ])
            guard let key = try answers[1].rows.first.map(AccountRows.key),
                let user = try answers[2].rows.first.map(AccountRows.user)
            else { return nil }
            return (key, user)
        } catch { throw StorageError.wrap(error, "key") }
    }

    /// The user's keys that are not revoked, newest first.
    /// - Throws: ``StorageError``.
    package func keys(of user: UserID) async throws(StorageError) -> [APIKeyRecord] {
        do {
            return try await pool.query(
                """
                SELECT \(raw: AccountRows.key) FROM api_keys k WHERE k.user_id = \(user) AND k.revoked_at IS NULL
                ORDER BY k.created_at DESC, k.id DESC LIMIT \(2 * Self.maxPerUser)
                """
            ).map(AccountRows.key)
        } catch { throw StorageError.wrap(error, "keys") }
    }

    /// Ends the user's keys of this id or shown prefix.
    /// - Returns: those that ended; empty when there was none.
    /// - Throws: ``StorageError``.
    package func revoke(
        _ name: String, of user: UserID, _ entry: (APIKeyID) -> AuditEntry
    ) async throws(StorageError) -> [APIKeyID] {
        do {
            return try await pool.withTransaction { transaction in
                let rows = try await transaction.query(
                    """
                    UPDATE api_keys SET revoked_at = now()
                    WHERE user_id = \(user) AND (id = \(name) OR prefix = \(name)) AND revoked_at IS NULL RETURNING id
                    """)
                let ids = try rows.map { try $0.keyID("id") }
                for id in ids {
                    try await RevocationStore.revoke(
                        .key, id.text, until: "now() + \(RevocationStore.userDays) * interval '1 day'", in: transaction)
                    try await AuditLog.append(entry(id), in: transaction)
                }
                return ids
            }
        } catch { throw StorageError.wrap(error, "revoke key") }
    }
}

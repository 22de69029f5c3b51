package import Domain
package import PostgresClient

/// What a refresh token gets.
package enum RefreshOutcome: Sendable {
    /// The generation of the next refresh token, and whose it is.
    case renewed(generation: Int64, UserRecord)
    /// It was used before: the session is ended, for whoever holds it.
    case reused(UserID)
    /// Ended, expired, of another version, or never there.
    case refused
}

/// Sign-ins, each a family of refresh tokens.
package struct SessionStore: Sendable {
    /// Sessions that one list shows.
    package static let maxListed = 100

    let pool: PGPool

    package init(pool: PGPool) { self.pool = pool }

    /// Begins a session, notes the sign-in, and tells of it.
    /// - Throws: ``StorageError``.
    package func begin(
        _ id: SessionID, of user: UserID, lifetimeSeconds: Int64, _ entry: AuditEntry
    ) async throws(StorageError) {
        do {
            try await pool.withTransaction { transaction in
                _ = try await transaction.executePipelined([
                    """
                    INSERT INTO sessions (id, user_id, expires_at, ip_address, user_agent)
                    VALUES (\(id), \(user), now() + \(lifetimeSeconds) * interval '1 second', \(entry.origin.address),
                            \(entry.origin.userAgent))
                    """,
                    "UPDATE users SET last_login_at = now() WHERE id = \(user)",
                ])
                try await AuditLog.append(entry, in: transaction)
            }
        } catch { throw StorageError.wrap(error, "session") }
    }

    /// Uses a refresh token up. Of two that come at once, one is renewed and the other ends the session.
    /// - Parameters:
    ///   - idleSeconds: a session that was not renewed for so long has ended; nil for none.
    ///   - version: the token version that the refresh token was made with.
    ///   - reuse: makes the entry when the token was used before.
    /// - Throws: ``StorageError``; after `.unavailable` the token may be used up.
    package func refresh(
        _ id: SessionID, generation: Int64, version: Int64, idleSeconds: Int64?, reuse: (UserRecord) -> AuditEntry
    ) async throws(StorageError) -> RefreshOutcome {
        do {
            return try await pool.withTransaction { transaction in
                let row = try await transaction.query(
                    """
                    SELECT s.generation, \(raw: AccountRows.user) FROM sessions s JOIN users u ON u.id = s.user_id
                    WHERE s.id = \(id) AND s.revoked_at IS NULL AND s.expires_at > now() AND \(Self.isFresh("s", idleSeconds)) AND u.is_active
                        AND u.token_version = \(version)
                    FOR UPDATE OF s
                    """
                ).first
                guard let row else { return .refused }
                let user = try AccountRows.user(row)
                guard try row.int64("generation") == generation else {
                    try await Self.end(id, for: "refresh token reused", in: transaction)
                    try await AuditLog.append(reuse(user), in: transaction)
                    return .reused(user.id)
                }
                _ = try await transaction.execute(
                    "UPDATE sessions SET generation = \(generation + 1), last_used_at = now() WHERE id = \(id)")
                return .renewed(generation: generation + 1, user)
            }
        } catch { throw StorageError.wrap(error, "refresh") }
    }

    private static func isFresh(_ table: String, _ idleSeconds: Int64?) -> SQL {
        guard let idleSeconds else { return "true" }
        return "\(raw: table).last_used_at > now() - \(idleSeconds) * interval '1 second'"
    }

    /// The user's sessions that go on, newest first.
    /// - Parameter idleSeconds: as in ``refresh(_:generation:version:idleSeconds:reuse:)``.
    /// - Throws: ``StorageError``.
    package func sessions(of user: UserID, idleSeconds: Int64?) async throws(StorageError) -> [SessionRecord] {
        do {
            return try await pool.query(
                """
                SELECT \(raw: AccountRows.session) FROM sessions s
                WHERE user_id = \(user) AND revoked_at IS NULL AND expires_at > now() AND \(Self.isFresh("s", idleSeconds))
                ORDER BY created_at DESC, id DESC LIMIT \(Self.maxListed)
                """
            ).map(AccountRows.session)
        } catch { throw StorageError.wrap(error, "sessions") }
    }

    /// Ends a session of this user.
    /// - Returns: false when the user has no such session.
    /// - Throws: ``StorageError``.
    package func end(_ id: SessionID, of user: UserID, _ entry: AuditEntry) async throws(StorageError) -> Bool {
        do {
            return try await pool.withTransaction { transaction in
                let found = try await transaction.query(
                    "SELECT 1 FROM sessions WHERE id = \(id) AND user_id = \(user) AND revoked_at IS NULL FOR UPDATE")
                guard !found.isEmpty else { return false }
                try await Self.end(id, for: entry.action.rawValue, in: transaction)
                try await AuditLog.append(entry, in: transaction)
                return true
            }
        } catch { throw StorageError.wrap(error, "end session") }
    }

    private static func end(_ id: SessionID, for reason: String, in transaction: PGTransaction) async throws {
        _ = try await transaction.execute(
            "UPDATE sessions SET revoked_at = now(), revoked_for = \(reason) WHERE id = \(id) AND revoked_at IS NULL")
        try await RevocationStore.revoke(
            .session, id.text, until: "now() + \(RevocationStore.userDays) * interval '1 day'", in: transaction)
    }
}

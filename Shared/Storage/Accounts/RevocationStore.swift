package import Domain
package import PostgresClient

/// One thing that is refused although its text is good.
package struct Revocation: Sendable {
    package enum Kind: String, Sendable {
        case session
        /// A signed token, by the hex SHA-256 of its text.
        case token
        case key
        /// Every credential of a user with a lower token version.
        case user
    }

    package let kind: Kind
    package let value: String
    package let version: Int64
    package let expiresAt: Timestamp

    package init(kind: Kind, value: String, version: Int64, expiresAt: Timestamp) {
        self.kind = kind
        self.value = value
        self.version = version
        self.expiresAt = expiresAt
    }
}

/// What is refused before its time. The table is the truth; every process holds the live ones in memory.
package struct RevocationStore: Sendable {
    /// How far a poll looks back: a transaction commits within this of its beginning, or is ended by its timeout.
    package static let overlapSeconds = 60
    /// Longer than any access token lives (168 hours).
    static let userDays = 8

    let pool: PGPool

    package init(pool: PGPool) { self.pool = pool }

    /// What was revoked lately, and the time on Postgres's clock that the next question starts from.
    /// - Parameter time: what the last question returned; nil for all that are live.
    /// - Throws: ``StorageError``.
    package func live(
        since time: Timestamp?
    ) async throws(StorageError) -> (revocations: [Revocation], asOf: Timestamp) {
        var condition: SQL = "expires_at > now()"
        if let time { condition = "revoked_at >= \(time) - \(Self.overlapSeconds) * interval '1 second'" }
        let found = condition
        do {
            let answers = try await pool.batch([
                "SELECT now()::timestamptz(3) AS at",
                "SELECT kind, value, version, expires_at FROM revoked_tokens WHERE \(found)",
            ])
            guard let at = try answers[0].rows.first?.timestamp("at") else {
                throw StorageError(.broken, "revocations: no clock")
            }
            return (try answers[1].rows.map(Self.revocation), at)
        } catch { throw StorageError.wrap(error, "revocations") }
    }

    /// Refuses a signed token from now on.
    /// - Throws: ``StorageError``.
    package func revokeToken(digest: String, until expires: Timestamp, _ entry: AuditEntry) async throws(StorageError) {
        do {
            try await pool.withTransaction { transaction in
                try await Self.revoke(.token, digest, until: "\(expires)", in: transaction)
                try await AuditLog.append(entry, in: transaction)
            }
        } catch { throw StorageError.wrap(error, "revoke token") }
    }

    static func revoke(
        _ kind: Revocation.Kind, _ value: String, version: Int64 = 0, until expires: SQL, in transaction: PGTransaction
    ) async throws {
        _ = try await transaction.execute(
            """
            INSERT INTO revoked_tokens AS r (kind, value, version, expires_at)
            VALUES (\(kind.rawValue), \(value), \(version), \(expires))
            ON CONFLICT (kind, value) DO UPDATE SET version = greatest(r.version, excluded.version),
                revoked_at = now(), expires_at = greatest(r.expires_at, excluded.expires_at)
            """)
    }

    /// Ends all that a user has with a lower token version: sessions in their table too.
    static func revokeAll(of user: UserID, below version: Int64, in transaction: PGTransaction) async throws {
        try await revoke(
            .user, user.text, version: version, until: "now() + \(userDays) * interval '1 day'", in: transaction)
        _ = try await transaction.execute(
            """
            UPDATE sessions SET revoked_at = now(), revoked_for = 'all' WHERE user_id = \(user) AND revoked_at IS NULL
            """)
    }

    private static func revocation(_ row: Row) throws(PGError) -> Revocation {
        Revocation(
            kind: try row.member("kind"), value: try row.text("value"), version: try row.int64("version"),
            expiresAt: try row.timestamp("expires_at"))
    }
}

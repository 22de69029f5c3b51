import Contracts
package import Domain
package import PostgresClient

/// What is held of a user besides what was said: the account, how it is entered, and what the audit log says of it.
package struct HeldAccount: Sendable {
    package let user: UserRecord
    package let sessions: [SessionRecord]
    package let keys: [APIKeyRecord]
    package let identities: [(issuer: String, subject: String)]
}

/// Shows and takes away accounts. The audit log stays: it is a chain, and names ids.
package struct AccountErasure: Sendable {
    package enum Outcome: Sendable, Equatable {
        case erased
        case notFound
        /// The organization would have no administrator.
        case lastAdministrator
    }

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// - Throws: ``StorageError``.
    package func held(_ id: UserID) async throws(StorageError) -> HeldAccount? {
        do {
            let answers = try await pool.batch([
                "SELECT \(raw: AccountRows.user) FROM users u WHERE u.id = \(id)",
                "SELECT \(raw: AccountRows.session) FROM sessions WHERE user_id = \(id) ORDER BY created_at, id",
                "SELECT \(raw: AccountRows.key) FROM api_keys k WHERE k.user_id = \(id) ORDER BY k.created_at, k.id",
                "SELECT issuer, subject FROM user_identities WHERE user_id = \(id) ORDER BY issuer, subject",
            ])
            guard let user = try answers[0].rows.first.map(AccountRows.user) else { return nil }
            return HeldAccount(
                user: user, sessions: try answers[1].rows.map(AccountRows.session),
                keys: try answers[2].rows.map(AccountRows.key),
                identities: try answers[3].rows.map { (try $0.text("issuer"), try $0.text("subject")) })
        } catch { throw StorageError.wrap(error, "account") }
    }

    /// Entries of the audit log that a user made or that are about them, after `seq`: the bytes that were hashed.
    /// - Throws: ``StorageError``.
    package func auditEntries(
        of id: UserID, in organization: OrganizationID, after seq: Int64
    ) async throws(StorageError) -> [(seq: Int64, document: [UInt8])] {
        do {
            return try await pool.query(
                """
                SELECT seq, document FROM audit_log WHERE org_id = \(organization) AND seq > \(seq)
                  AND (actor = \(id.text) OR resource_id = \(id.text)) ORDER BY seq LIMIT \(PersonalDataReader.pageSize)
                """
            ).map { (try $0.int64("seq"), try $0.bytes("document")) }
        } catch { throw StorageError.wrap(error, "audit entries of a user") }
    }

    /// Ends every credential and takes away what says who it was; the id stays, for what refers to it.
    /// - Throws: ``StorageError``.
    package func erase(_ id: UserID) async throws(StorageError) -> Outcome {
        do {
            return try await pool.withTransaction { transaction in
                let row = try await transaction.query(
                    "SELECT \(raw: AccountRows.user) FROM users u WHERE u.id = \(id) FOR UPDATE OF u"
                ).first
                guard let user = try row.map(AccountRows.user) else { return .notFound }
                if user.role == .admin && user.isActive {
                    let answers = try await transaction.queryPipelined([
                        "SELECT id FROM organizations WHERE id = \(user.organization) FOR UPDATE",
                        """
                        SELECT count(*) FILTER (WHERE role = 'admin') AS admins, count(*) AS users FROM users
                        WHERE org_id = \(user.organization) AND is_active AND id <> \(id)
                        """,
                    ])
                    let others = answers[1].first
                    guard try others?.int("admins") ?? 0 > 0 || others?.int("users") == 0 else {
                        return .lastAdministrator
                    }
                }
                _ = try await transaction.executePipelined([
                    """
                    UPDATE users SET email = id || '@erased.invalid', name = '', password_hash = NULL, is_active = false,
                        email_verified = false, mfa_enabled = false, mfa_secret = NULL, mfa_last_step = NULL,
                        mfa_backup_codes = '{}', last_login_at = NULL, token_version = token_version + 1, updated_at = now()
                    WHERE id = \(id)
                    """,
                    "DELETE FROM user_identities WHERE user_id = \(id)",
                    "DELETE FROM password_resets WHERE user_id = \(id)",
                    "DELETE FROM login_failures WHERE kind = 'account' AND subject = \(user.email)",
                ])
                try await RevocationStore.revokeAll(of: id, below: user.tokenVersion + 1, in: transaction)
                let keys = try await transaction.query("DELETE FROM api_keys WHERE user_id = \(id) RETURNING id")
                for key in keys {
                    try await RevocationStore.revoke(
                        .key, try key.keyID("id").text,
                        until: "now() + \(RevocationStore.userDays) * interval '1 day'", in: transaction)
                }
                _ = try await transaction.execute("DELETE FROM sessions WHERE user_id = \(id)")
                try await AuditLog.append(
                    AuditEntry(
                        .personErased, by: "command line", in: user.organization, on: "user", id.text,
                        from: Origin(address: "", userAgent: "", requestID: "")), in: transaction)
                return .erased
            }
        } catch { throw StorageError.wrap(error, "erase account") }
    }
}

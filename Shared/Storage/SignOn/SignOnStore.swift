package import Domain
package import PostgresClient

/// Somebody whom an identity provider vouches for.
package struct VouchedPerson: Sendable {
    package let issuer: String
    package let subject: String
    /// In lower case, and verified by the provider.
    package let email: String
    package let name: String

    package init(issuer: String, subject: String, email: String, name: String) {
        self.issuer = issuer
        self.subject = subject
        self.email = email
        self.name = name
    }
}

/// Single sign-on: attempts under way, and accounts that belong to identities elsewhere.
package struct SignOnStore: Sendable {
    /// How long somebody may take at the provider.
    package static let attemptSeconds = 600

    package enum Outcome: Sendable {
        case known(UserRecord)
        /// An account that was there, found by its verified address. When it had a password of somebody unproven, that
        /// ended, with every session and key.
        case linked(UserRecord)
        case created(UserRecord)
        /// There is no account, and none is made.
        case unknown
        case inactive(UserRecord)
    }

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// - Throws: ``StorageError``.
    package func begin(state: [UInt8], browser: [UInt8]) async throws(StorageError) {
        try await run("begin") {
            _ = try await pool.execute(
                """
                INSERT INTO sign_on_attempts (state_digest, browser_digest, expires_at)
                VALUES (\(state), \(browser), now() + \(Self.attemptSeconds) * interval '1 second')
                """)
        }
    }

    /// Uses an attempt up: true once, and only for the browser that began it.
    /// - Throws: ``StorageError``; it may be used up then.
    package func take(state: [UInt8], browser: [UInt8]) async throws(StorageError) -> Bool {
        try await run("take") {
            try await pool.execute(
                """
                DELETE FROM sign_on_attempts
                WHERE state_digest = \(state) AND browser_digest = \(browser) AND expires_at > now()
                """) == 1
        }
    }

    /// The account of an identity: by issuer and subject, else by the verified address, else a new one.
    /// - Parameters:
    ///   - makes: whether accounts are made for who has none.
    ///   - audit: makes the entry for what was done to an account.
    /// - Throws: ``StorageError``.
    package func account(
        of person: VouchedPerson, newID: UserID, makes: Bool, administrator: String?,
        audit: (AuditAction, UserRecord) -> AuditEntry
    ) async throws(StorageError) -> Outcome {
        try await run("account") {
            try await pool.withTransaction { transaction in
                // One at a time for an address: two first sign-ins at once must not make two accounts.
                _ = try await transaction.query(
                    "SELECT pg_advisory_xact_lock(hashtextextended('aragora sign-on ' || \(person.email), 0))")
                if let user = try await Self.known(person, in: transaction) {
                    return user.isActive ? .known(user) : .inactive(user)
                }
                if let user = try await Self.user("u.email = \(person.email)", in: transaction) {
                    guard user.isActive else { return .inactive(user) }
                    let linked = try await Self.adopt(user, in: transaction)
                    try await Self.remember(person, linked.id, in: transaction)
                    try await AuditLog.append(audit(.identityLinked, linked), in: transaction)
                    return .linked(linked)
                }
                guard makes else { return .unknown }
                let role: Role = person.email == administrator ? .admin : .member
                _ = try await transaction.execute(
                    """
                    INSERT INTO users (id, email, name, org_id, role, email_verified)
                    VALUES (\(newID), \(person.email), \(person.name), \(OrganizationID.default), \(role), true)
                    """)
                guard let user = try await Self.user("u.id = \(newID)", in: transaction) else {
                    throw StorageError(.broken, "a user was inserted, and no row came")
                }
                try await Self.remember(person, user.id, in: transaction)
                try await AuditLog.append(audit(.userRegistered, user), in: transaction)
                return .created(user)
            }
        }
    }

    private static func known(_ person: VouchedPerson, in transaction: PGTransaction) async throws -> UserRecord? {
        let row = try await transaction.query(
            """
            UPDATE user_identities SET last_used_at = now()
            WHERE issuer = \(person.issuer) AND subject = \(person.subject) RETURNING user_id
            """
        ).first
        guard let id = try row?.userID("user_id") else { return nil }
        return try await user("u.id = \(id)", in: transaction)
    }

    private static func user(_ condition: SQL, in transaction: PGTransaction) async throws -> UserRecord? {
        try await transaction.query("SELECT \(raw: AccountRows.user) FROM users u WHERE \(condition)").first
            .map(AccountRows.user)
    }

    /// Whoever registered with an address nobody had proven does not keep a way in beside its owner. A second factor stays:
    /// it is asked for.
    private static func adopt(_ user: UserRecord, in transaction: PGTransaction) async throws -> UserRecord {
        guard !user.isEmailVerified else { return user }
        let answers = try await transaction.queryPipelined([
            """
            UPDATE users AS u SET email_verified = true, password_hash = NULL, token_version = u.token_version + 1,
                updated_at = now()
            WHERE u.id = \(user.id) RETURNING \(raw: AccountRows.user)
            """,
            "UPDATE api_keys SET revoked_at = now() WHERE user_id = \(user.id) AND revoked_at IS NULL RETURNING id",
            "DELETE FROM password_resets WHERE user_id = \(user.id)",
        ])
        guard let adopted = try answers[0].first.map(AccountRows.user) else {
            throw StorageError(.broken, "a user was changed, and no row came")
        }
        for key in answers[1] {
            try await RevocationStore.revoke(
                .key, try key.keyID("id").text, until: "now() + \(RevocationStore.userDays) * interval '1 day'",
                in: transaction)
        }
        try await RevocationStore.revokeAll(of: user.id, below: adopted.tokenVersion, in: transaction)
        return adopted
    }

    private static func remember(_ person: VouchedPerson, _ user: UserID, in transaction: PGTransaction) async throws {
        _ = try await transaction.execute(
            """
            INSERT INTO user_identities (issuer, subject, user_id) VALUES (\(person.issuer), \(person.subject), \(user))
            """)
    }

    private func run<Value>(_ what: String, _ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, "sign-on: \(what)") }
    }
}

package import Domain
package import PostgresClient

/// Somebody who is to have an account.
package struct NewUser: Sendable {
    package let id: UserID
    /// In lower case.
    package let email: String
    package let name: String
    package let passwordHash: String?

    package init(id: UserID, email: String, name: String, passwordHash: String?) {
        self.id = id
        self.email = email
        self.name = name
        self.passwordHash = passwordHash
    }
}

/// Who may register, and as what.
package struct RegistrationRule: Sendable {
    /// Whether anybody may register; the first user always may.
    package let isOpen: Bool
    /// Only this address becomes the first administrator; nil for whoever comes first.
    package let administrator: String?

    package init(isOpen: Bool, administrator: String?) {
        self.isOpen = isOpen
        self.administrator = administrator
    }
}

/// What became of a registration.
package enum RegistrationOutcome: Sendable {
    case registered(UserRecord, OrganizationRecord)
    case emailTaken
    case closed
}

/// Users and organizations.
package struct AccountStore: Sendable {
    package static let limitRange = 1...100

    let pool: PGPool

    package init(pool: PGPool) { self.pool = pool }

    // MARK: Reading

    /// - Throws: ``StorageError``.
    package func user(_ id: UserID) async throws(StorageError) -> UserRecord? {
        try await first("u.id = \(id)")
    }

    /// - Parameter email: in lower case.
    /// - Throws: ``StorageError``.
    package func user(email: String) async throws(StorageError) -> UserRecord? {
        try await first("u.email = \(email)")
    }

    private func first(_ condition: SQL) async throws(StorageError) -> UserRecord? {
        try await run("user") {
            try await pool.query("SELECT \(raw: AccountRows.user) FROM users u WHERE \(condition)").first
                .map(AccountRows.user)
        }
    }

    /// The users of an organization, oldest first.
    /// - Throws: ``StorageError``.
    package func users(within reach: Reach, limit: Int, offset: Int) async throws(StorageError) -> Page<UserRecord> {
        let condition = reach.condition(on: "u.org_id")
        let limit = min(max(limit, Self.limitRange.lowerBound), Self.limitRange.upperBound)
        return try await run("users") {
            let answers = try await pool.batch([
                "SELECT count(*) AS total FROM users u WHERE \(condition)",
                """
                SELECT \(raw: AccountRows.user) FROM users u WHERE \(condition)
                ORDER BY u.created_at, u.id LIMIT \(limit) OFFSET \(max(0, offset))
                """,
            ])
            return Page(
                items: try answers[1].rows.map(AccountRows.user), total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }

    /// - Throws: ``StorageError``.
    package func organization(_ id: OrganizationID) async throws(StorageError) -> OrganizationRecord? {
        try await run("organization") {
            try await pool.query("SELECT id, name, slug, created_at FROM organizations WHERE id = \(id)").first
                .map(AccountRows.organization)
        }
    }

    // MARK: New users

    /// Makes an account: the first one an administrator of the default organization, who names an organization that
    /// organization's administrator, everybody else a member of the default one.
    /// - Parameters:
    ///   - organization: the name of an organization to found, with the id it gets.
    ///   - audit: makes the entry, once it is known who the user became.
    /// - Throws: ``StorageError``.
    package func register(
        _ user: NewUser, founding organization: (id: OrganizationID, name: String)?, rule: RegistrationRule,
        audit: (UserRecord) -> AuditEntry
    ) async throws(StorageError) -> RegistrationOutcome {
        do {
            return try await pool.withTransaction { transaction in
                // One registration at a time: there is one first user.
                let answers = try await transaction.queryPipelined([
                    "SELECT id FROM organizations WHERE id = 'org_default' FOR UPDATE",
                    "SELECT EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND org_id = 'org_default') AS settled",
                ])
                let isSettled = try answers[1].first?.bool("settled") ?? false
                let isAdministrator =
                    rule.administrator.map { $0 == user.email } ?? !isSettled
                guard isAdministrator || rule.isOpen else { return .closed }
                let (home, role) = try await Self.home(
                    organization, isAdministrator: isAdministrator, in: transaction)
                let record = try await Self.insert(user, in: home, as: role, transaction)
                try await AuditLog.append(audit(record), in: transaction)
                return .registered(record, try await Self.organization(home, in: transaction))
            }
        } catch let error as PGError where error.constraint == "users_email_key" {
            return .emailTaken
        } catch {
            throw StorageError.wrap(error, "register")
        }
    }

    private static func home(
        _ founded: (id: OrganizationID, name: String)?, isAdministrator: Bool, in transaction: PGTransaction
    ) async throws -> (OrganizationID, Role) {
        guard let founded else { return (.default, isAdministrator ? .admin : .member) }
        guard !isAdministrator else {
            _ = try await transaction.execute(
                "UPDATE organizations SET name = \(founded.name) WHERE id = 'org_default'")
            return (.default, .admin)
        }
        let words = founded.name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        let slug = (words.prefix(6).map(String.init) + [String(founded.id.text.suffix(8))]).joined(separator: "-")
        _ = try await transaction.execute(
            "INSERT INTO organizations (id, name, slug) VALUES (\(founded.id), \(founded.name), \(slug))")
        return (founded.id, .admin)
    }

    /// Makes an account in an organization, for who may manage its users.
    /// - Returns: nil when the address is taken.
    /// - Throws: ``StorageError``.
    package func create(
        _ user: NewUser, in organization: OrganizationID, as role: Role, _ entry: AuditEntry
    ) async throws(StorageError) -> UserRecord? {
        do {
            return try await pool.withTransaction { transaction in
                let record = try await Self.insert(user, in: organization, as: role, transaction)
                try await AuditLog.append(entry, in: transaction)
                return record
            }
        } catch let error as PGError where error.constraint == "users_email_key" {
            return nil
        } catch { throw StorageError.wrap(error, "create user") }
    }

    private static func insert(
        _ user: NewUser, in organization: OrganizationID, as role: Role, _ transaction: PGTransaction
    ) async throws -> UserRecord {
        let rows = try await transaction.query(
            """
            INSERT INTO users AS u (id, email, name, password_hash, org_id, role)
            VALUES (\(user.id), \(user.email), \(user.name), \(user.passwordHash), \(organization), \(role))
            RETURNING \(raw: AccountRows.user)
            """)
        guard let row = rows.first else { throw StorageError(.broken, "a user was inserted, and no row came") }
        return try AccountRows.user(row)
    }

    private static func organization(
        _ id: OrganizationID, in transaction: PGTransaction
    ) async throws -> OrganizationRecord {
        let rows = try await transaction.query(
            "SELECT id, name, slug, created_at FROM organizations WHERE id = \(id)")
        guard let row = rows.first else { throw StorageError(.broken, "a user without an organization") }
        return try AccountRows.organization(row)
    }

    // MARK: Changes

    /// Changes of a user; nil leaves a thing as it is.
    package struct Change: Sendable {
        package var name: String?
        package var role: Role?
        package var isActive: Bool?
        package var passwordHash: String?
        /// Ends every session, access token and cached key of the user.
        package var revokesAll = false
        /// The only session that goes on then.
        package init() {}
    }

    /// Changes a user, with the entry that tells of it.
    /// - Returns: the user as it is now; nil when it is not there, or the change would leave its organization without an
    ///   active administrator.
    /// - Throws: ``StorageError``.
    package func change(
        _ id: UserID, within reach: Reach, _ change: Change, _ entries: [AuditEntry]
    ) async throws(StorageError) -> UserRecord? {
        do {
            return try await pool.withTransaction { transaction in
                let record = try await transaction.query(
                    """
                    UPDATE users AS u SET name = coalesce(\(change.name), u.name),
                        role = coalesce(\(change.role?.rawValue), u.role),
                        is_active = coalesce(\(change.isActive), u.is_active),
                        password_hash = coalesce(\(change.passwordHash), u.password_hash),
                        token_version = u.token_version + \(change.revokesAll ? 1 : 0), updated_at = now()
                    WHERE u.id = \(id) AND \(reach.condition(on: "u.org_id")) RETURNING \(raw: AccountRows.user)
                    """
                ).first.map(AccountRows.user)
                guard let record else { return nil }
                if change.role != nil || change.isActive != nil {
                    try await Self.requireAdministrator(of: record.organization, in: transaction)
                }
                if change.revokesAll {
                    try await RevocationStore.revokeAll(of: record.id, below: record.tokenVersion, in: transaction)
                }
                for entry in entries { try await AuditLog.append(entry, in: transaction) }
                return record
            }
        } catch is NoAdministrator {
            return nil
        } catch { throw StorageError.wrap(error, "change user") }
    }

    private struct NoAdministrator: Error {}

    /// An organization that nobody can manage would be lost.
    private static func requireAdministrator(of organization: OrganizationID, in transaction: PGTransaction)
        async throws
    {
        // Two administrators who demote each other at once would both see one left.
        let answers = try await transaction.queryPipelined([
            "SELECT id FROM organizations WHERE id = \(organization) FOR UPDATE",
            "SELECT count(*) AS n FROM users WHERE org_id = \(organization) AND role = 'admin' AND is_active",
        ])
        guard try answers[1].first?.int("n") ?? 0 > 0 else { throw NoAdministrator() }
    }

    // MARK: Second factor

    /// Keeps a new secret that is not asked for yet. Nothing happens while the second factor is on.
    /// - Throws: ``StorageError``.
    package func startSecondFactor(
        _ id: UserID, sealedSecret: [UInt8], _ entry: AuditEntry
    ) async throws(StorageError) -> Bool {
        try await changeSecondFactor(
            "UPDATE users SET mfa_secret = \(sealedSecret), mfa_last_step = NULL WHERE id = \(id) AND NOT mfa_enabled",
            revoking: nil, entry)
    }

    /// Asks for it from now on, and ends every session: those were made without it.
    /// - Throws: ``StorageError``.
    package func enableSecondFactor(
        _ id: UserID, step: Int64, backupCodes: [[UInt8]], _ entry: AuditEntry
    ) async throws(StorageError) -> Bool {
        try await changeSecondFactor(
            """
            UPDATE users SET mfa_enabled = true, mfa_last_step = \(step), mfa_backup_codes = \(backupCodes),
                mfa_backup_codes_at = now(),
                token_version = token_version + 1, updated_at = now()
            WHERE id = \(id) AND NOT mfa_enabled AND mfa_secret IS NOT NULL
            """, revoking: id, entry)
    }

    /// - Throws: ``StorageError``.
    package func disableSecondFactor(_ id: UserID, _ entry: AuditEntry) async throws(StorageError) -> Bool {
        try await changeSecondFactor(
            """
            UPDATE users SET mfa_enabled = false, mfa_secret = NULL, mfa_last_step = NULL, mfa_backup_codes = '{}',
                updated_at = now()
            WHERE id = \(id) AND mfa_enabled
            """, revoking: nil, entry)
    }

    /// Replaces the backup codes.
    /// - Throws: ``StorageError``.
    package func replaceBackupCodes(
        _ id: UserID, _ codes: [[UInt8]], _ entry: AuditEntry
    ) async throws(StorageError) -> Bool {
        try await changeSecondFactor(
            """
            UPDATE users SET mfa_backup_codes = \(codes), mfa_backup_codes_at = now() WHERE id = \(id) AND mfa_enabled
            """, revoking: nil, entry)
    }

    private func changeSecondFactor(
        _ statement: SQL, revoking user: UserID?, _ entry: AuditEntry
    ) async throws(StorageError) -> Bool {
        do {
            return try await pool.withTransaction { transaction in
                guard try await transaction.execute(statement) == 1 else { return false }
                if let user {
                    let row = try await transaction.query("SELECT token_version FROM users WHERE id = \(user)").first
                    try await RevocationStore.revokeAll(
                        of: user, below: try row?.int64("token_version") ?? .max, in: transaction)
                }
                try await AuditLog.append(entry, in: transaction)
                return true
            }
        } catch { throw StorageError.wrap(error, "second factor") }
    }

    /// Takes a step's code: true once for each step, in whatever replica it is asked.
    /// - Throws: ``StorageError``.
    package func useStep(_ step: Int64, of id: UserID) async throws(StorageError) -> Bool {
        try await run("one-time password") {
            try await pool.execute(
                """
                UPDATE users SET mfa_last_step = \(step)
                WHERE id = \(id) AND (mfa_last_step IS NULL OR mfa_last_step < \(step))
                """) == 1
        }
    }

    /// Takes a backup code: true once.
    /// - Throws: ``StorageError``.
    package func useBackupCode(
        _ digest: [UInt8], of id: UserID, _ entry: AuditEntry
    ) async throws(StorageError) -> Bool {
        try await changeSecondFactor(
            """
            UPDATE users SET mfa_backup_codes = array_remove(mfa_backup_codes, \(digest))
            WHERE id = \(id) AND \(digest) = ANY (mfa_backup_codes)
            """, revoking: nil, entry)
    }

    // MARK: Forgotten passwords

    /// Keeps the digest of a token with which a new password may be set.
    /// - Returns: false when there is no such user in reach.
    /// - Throws: ``StorageError``.
    package func issueReset(
        for id: UserID, within reach: Reach, digest: [UInt8], lifetimeSeconds: Int, _ entry: AuditEntry
    ) async throws(StorageError) -> Bool {
        do {
            return try await pool.withTransaction { transaction in
                let made = try await transaction.execute(
                    """
                    INSERT INTO password_resets (digest, user_id, expires_at)
                    SELECT \(digest), u.id, now() + \(lifetimeSeconds) * interval '1 second' FROM users u
                    WHERE u.id = \(id) AND u.is_active AND \(reach.condition(on: "u.org_id"))
                    """)
                guard made == 1 else { return false }
                try await AuditLog.append(entry, in: transaction)
                return true
            }
        } catch { throw StorageError.wrap(error, "reset") }
    }

    /// The user whose token this is, while it is good.
    /// - Throws: ``StorageError``.
    package func userOfReset(_ digest: [UInt8]) async throws(StorageError) -> UserRecord? {
        try await first(
            """
            u.is_active AND u.id = (SELECT r.user_id FROM password_resets r
                                    WHERE r.digest = \(digest) AND r.expires_at > now())
            """)
    }

    /// Sets a password by a token: all of the user's tokens are used up and every session ends.
    /// - Returns: false when the token is not good any more.
    /// - Throws: ``StorageError``.
    package func reset(
        _ digest: [UInt8], passwordHash: String, _ entry: AuditEntry
    ) async throws(StorageError) -> Bool {
        do {
            return try await pool.withTransaction { transaction in
                let row = try await transaction.query(
                    "DELETE FROM password_resets WHERE digest = \(digest) AND expires_at > now() RETURNING user_id"
                ).first
                guard let user = try row?.userID("user_id") else { return false }
                let answers = try await transaction.queryPipelined([
                    "DELETE FROM password_resets WHERE user_id = \(user)",
                    """
                    UPDATE users SET password_hash = \(passwordHash), token_version = token_version + 1, updated_at = now()
                    WHERE id = \(user) AND is_active RETURNING token_version
                    """,
                ])
                guard let version = try answers[1].first?.int64("token_version") else { return false }
                try await RevocationStore.revokeAll(of: user, below: version, in: transaction)
                try await AuditLog.append(entry, in: transaction)
                return true
            }
        } catch { throw StorageError.wrap(error, "reset") }
    }

    func run<Value>(_ what: String, _ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, what) }
    }
}

import Domain
import PostgresClient

/// Rows of the tables of accounts.
enum AccountRows {
    static let user = """
        u.id, u.email, u.name, u.password_hash, u.org_id, u.role, u.is_active, u.email_verified, u.token_version, \
        u.mfa_enabled, u.mfa_secret, u.mfa_last_step, u.mfa_backup_codes, u.created_at, u.updated_at, u.last_login_at, \
        EXISTS (SELECT 1 FROM api_keys k WHERE k.user_id = u.id AND k.revoked_at IS NULL) AS has_api_key
        """
    static let session = "id, user_id, created_at, last_used_at, expires_at, ip_address, user_agent"
    static let key = "k.id, k.user_id, k.name, k.prefix, k.scopes, k.created_at, k.expires_at, k.last_used_at"

    static func user(_ row: Row) throws(PGError) -> UserRecord {
        UserRecord(
            id: try row.userID("id"), email: try row.text("email"), name: try row.text("name"),
            passwordHash: try row.optionalText("password_hash"), organization: try row.organizationID("org_id"),
            role: try row.member("role"), isActive: try row.bool("is_active"),
            isEmailVerified: try row.bool("email_verified"), tokenVersion: try row.int64("token_version"),
            secondFactor: UserRecord.SecondFactor(
                isEnabled: try row.bool("mfa_enabled"), secret: try row.optionalBytes("mfa_secret"),
                lastStep: try row.optionalInt64("mfa_last_step"), backupCodes: try row.bytesArray("mfa_backup_codes")),
            hasAPIKey: try row.bool("has_api_key"), createdAt: try row.timestamp("created_at"),
            updatedAt: try row.timestamp("updated_at"), lastLoginAt: try row.optionalTimestamp("last_login_at"))
    }

    static func organization(_ row: Row) throws(PGError) -> OrganizationRecord {
        OrganizationRecord(
            id: try row.organizationID("id"), name: try row.text("name"), slug: try row.text("slug"),
            createdAt: try row.timestamp("created_at"))
    }

    static func session(_ row: Row) throws(PGError) -> SessionRecord {
        SessionRecord(
            id: try row.sessionID("id"), user: try row.userID("user_id"), createdAt: try row.timestamp("created_at"),
            lastUsedAt: try row.timestamp("last_used_at"), expiresAt: try row.timestamp("expires_at"),
            address: try row.text("ip_address"), userAgent: try row.text("user_agent"))
    }

    static func key(_ row: Row) throws(PGError) -> APIKeyRecord {
        // A permission that this version does not know gives nothing.
        let scopes =
            try row.isNull("scopes") ? nil : Set(row.textArray("scopes").compactMap(Permission.init(rawValue:)))
        return APIKeyRecord(
            id: try row.keyID("id"), user: try row.userID("user_id"), name: try row.text("name"),
            prefix: try row.text("prefix"), scopes: scopes, createdAt: try row.timestamp("created_at"),
            expiresAt: try row.optionalTimestamp("expires_at"), lastUsedAt: try row.optionalTimestamp("last_used_at"))
    }
}

extension Row {
    func userID(_ column: String) throws(PGError) -> UserID {
        guard let id = UserID(try text(column)) else { throw PGError(.decoding, "\(column) is no user id") }
        return id
    }

    func organizationID(_ column: String) throws(PGError) -> OrganizationID {
        guard let id = OrganizationID(try text(column)) else {
            throw PGError(.decoding, "\(column) is no organization id")
        }
        return id
    }

    func sessionID(_ column: String) throws(PGError) -> SessionID {
        guard let id = SessionID(try text(column)) else { throw PGError(.decoding, "\(column) is no session id") }
        return id
    }

    func keyID(_ column: String) throws(PGError) -> APIKeyID {
        guard let id = APIKeyID(try text(column)) else { throw PGError(.decoding, "\(column) is no key id") }
        return id
    }
}

extension SQL.StringInterpolation {
    mutating func appendInterpolation(_ id: UserID) { appendInterpolation(id.text) }
    mutating func appendInterpolation(_ id: OrganizationID) { appendInterpolation(id.text) }
    mutating func appendInterpolation(_ id: SessionID) { appendInterpolation(id.text) }
    mutating func appendInterpolation(_ id: APIKeyID) { appendInterpolation(id.text) }
    mutating func appendInterpolation(_ role: Role) { appendInterpolation(role.rawValue) }
}

extension Reach {
    /// The condition on a table's `org_id`; rows without one belong to the default organization.
    ///
    /// Written as the indexes have it.
    /// - Parameter column: `d.org_id` or the like, of our own source.
    func condition(on column: String) -> SQL {
        switch self {
        case .installation: "true"
        case .organization(let id): "coalesce(\(raw: column), 'org_default') = \(id.text)"
        }
    }
}

package import Domain

/// A user as clients read it (contract §2.2).
package struct UserBody: Sendable {
    package var id: UserID
    package var email: String
    package var name: String
    package var organization: OrganizationID
    package var role: Role
    package var isActive: Bool
    package var isEmailVerified: Bool
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var lastLoginAt: Timestamp?
    package var hasAPIKey: Bool
    package var tokenVersion: Int64
    package var hasSecondFactor: Bool

    package init(
        id: UserID, email: String, name: String, organization: OrganizationID, role: Role, isActive: Bool,
        isEmailVerified: Bool, createdAt: Timestamp, updatedAt: Timestamp, lastLoginAt: Timestamp?, hasAPIKey: Bool,
        tokenVersion: Int64, hasSecondFactor: Bool
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.organization = organization
        self.role = role
        self.isActive = isActive
        self.isEmailVerified = isEmailVerified
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.lastLoginAt = lastLoginAt
        self.hasAPIKey = hasAPIKey
        self.tokenVersion = tokenVersion
        self.hasSecondFactor = hasSecondFactor
    }

    package var json: JSONValue {
        [
            "id": .string(id.text), "email": .string(email), "name": .string(name),
            "org_id": .string(organization.text), "role": .string(role.rawValue), "is_active": .bool(isActive),
            "email_verified": .bool(isEmailVerified), "created_at": .string(createdAt.iso8601),
            "updated_at": .string(updatedAt.iso8601), "last_login_at": .optional(lastLoginAt?.iso8601),
            "has_api_key": .bool(hasAPIKey), "token_version": .int(tokenVersion),
            "mfa_enabled": .bool(hasSecondFactor), "mfa_grace_period_started_at": .null,
            "is_service_account": false, "service_account_scopes": .array([]),
        ]
    }
}

/// The answers of `/api/auth/…`, `/api/users/…` and `/api/rbac/…`.
package enum AccountBody {
    /// The tokens of a session.
    package struct Tokens: Sendable {
        package let access: String
        package let refresh: String
        package let accessSeconds: Int64
        package let expires: Timestamp

        package init(access: String, refresh: String, accessSeconds: Int64, expires: Timestamp) {
            self.access = access
            self.refresh = refresh
            self.accessSeconds = accessSeconds
            self.expires = expires
        }

        var json: JSONValue {
            [
                "access_token": .string(access), "refresh_token": .string(refresh), "token_type": "Bearer",
                "expires_in": .int(accessSeconds), "expires_at": .string(expires.iso8601),
            ]
        }
    }

    package static func organization(_ id: OrganizationID, name: String, slug: String, createdAt: Timestamp)
        -> JSONValue
    {
        [
            "id": .string(id.text), "name": .string(name), "slug": .string(slug),
            "created_at": .string(createdAt.iso8601),
        ]
    }

    package static func signedIn(_ user: UserBody, _ tokens: Tokens, _ organization: JSONValue) -> JSONValue {
        [
            "user": user.json, "tokens": tokens.json, "organization": organization,
            "organizations": .array([organization]),
        ]
    }

    package static func verified(_ user: UserBody, _ tokens: Tokens, _ organization: JSONValue) -> JSONValue {
        [
            "message": "Signed in", "user": user.json, "tokens": tokens.json, "organization": organization,
            "organizations": .array([organization]),
        ]
    }

    package static func secondFactorNeeded(pendingToken: String) -> JSONValue {
        [
            "mfa_required": true, "pending_token": .string(pendingToken),
            "message": "Send the code of your authenticator with this token to /api/auth/mfa/verify",
        ]
    }

    package static func refreshed(_ tokens: Tokens) -> JSONValue { ["tokens": tokens.json] }

    package static func me(_ user: UserBody, _ organization: JSONValue) -> JSONValue {
        ["user": user.json, "organization": organization, "organizations": .array([organization])]
    }

    package static func user(_ user: UserBody) -> JSONValue { ["user": user.json] }

    package static func created(_ user: UserBody, reset: Reset) -> JSONValue {
        ["user": user.json, "reset_token": .string(reset.token), "expires_at": .string(reset.expires.iso8601)]
    }

    /// A token with which somebody chooses a new password; told to an administrator, once.
    package struct Reset: Sendable {
        package let token: String
        package let expires: Timestamp
        package init(token: String, expires: Timestamp) {
            self.token = token
            self.expires = expires
        }
    }

    package static func reset(_ reset: Reset) -> JSONValue {
        [
            "reset_token": .string(reset.token), "expires_at": .string(reset.expires.iso8601),
            "message": "Give this token to the user; it is shown once",
        ]
    }

    package static func message(_ text: String) -> JSONValue { ["message": .string(text), "success": true] }

    package static func loggedOut(everywhere: Bool) -> JSONValue {
        [
            "message": .string(everywhere ? "Logged out of every session" : "Logged out successfully"),
            "success": true, "sessions_invalidated": .bool(everywhere),
        ]
    }

    // MARK: Second factor

    package static func secondFactorStarted(secret: String, uri: String) -> JSONValue {
        [
            "secret": .string(secret), "provisioning_uri": .string(uri),
            "message": "Add the secret to your authenticator, then send a code to /api/auth/mfa/enable",
        ]
    }

    /// - Parameter endsSessions: whether every session ended, this one too.
    package static func backupCodes(_ codes: [String], message: String, endsSessions: Bool) -> JSONValue {
        [
            "message": .string(message), "backup_codes": .strings(codes),
            "warning":
                "Keep these codes where you find them without your phone; each works once and they are not shown again",
            "sessions_invalidated": .bool(endsSessions),
        ]
    }

    // MARK: Sessions and keys

    package static func session(
        _ id: SessionID, createdAt: Timestamp, lastUsedAt: Timestamp, expiresAt: Timestamp, address: String,
        userAgent: String, isCurrent: Bool
    ) -> JSONValue {
        [
            "id": .string(id.text), "created_at": .string(createdAt.iso8601), "last_used": .string(lastUsedAt.iso8601),
            "expires_at": .string(expiresAt.iso8601), "ip": .string(address), "user_agent": .string(userAgent),
            "current": .bool(isCurrent),
        ]
    }

    package static func sessions(_ rows: [JSONValue]) -> JSONValue {
        let count = JSONValue.int(Int64(rows.count))
        return ["sessions": .array(rows), "items": .array(rows), "total": count, "count": count]
    }

    /// An API key as lists show it.
    package struct Key: Sendable {
        package let id: APIKeyID
        package let name: String
        package let prefix: String
        package let scopes: Set<Permission>?
        package let createdAt: Timestamp
        package let expiresAt: Timestamp?
        package let lastUsedAt: Timestamp?

        package init(
            id: APIKeyID, name: String, prefix: String, scopes: Set<Permission>?, createdAt: Timestamp,
            expiresAt: Timestamp?, lastUsedAt: Timestamp?
        ) {
            self.id = id
            self.name = name
            self.prefix = prefix
            self.scopes = scopes
            self.createdAt = createdAt
            self.expiresAt = expiresAt
            self.lastUsedAt = lastUsedAt
        }

        var members: [(String, JSONValue)] {
            [
                ("id", .string(id.text)), ("prefix", .string(prefix)), ("name", .string(name)),
                ("scopes", scopes.map { .strings($0.map(\.rawValue).sorted()) } ?? .null),
                ("created_at", .string(createdAt.iso8601)), ("expires_at", .optional(expiresAt?.iso8601)),
                ("last_used_at", .optional(lastUsedAt?.iso8601)),
            ]
        }
    }

    package static func created(_ key: Key, text: String) -> JSONValue {
        .object(
            JSONObject(
                [("api_key", .string(text))] + key.members + [("message", "Keep this key: it is not shown again")]))
    }

    package static func keys(_ keys: [Key]) -> JSONValue {
        let rows = JSONValue.array(keys.map { .object(JSONObject($0.members)) })
        let count = JSONValue.int(Int64(keys.count))
        return ["keys": rows, "items": rows, "count": count, "total": count]
    }

    // MARK: Roles

    package static func role(_ role: Role) -> JSONValue {
        [
            "id": .string(role.rawValue), "name": .string(role.rawValue), "description": .string(role.about),
            "permissions": .strings(role.permissions.map(\.rawValue).sorted()),
            "aliases": .strings(Role.aliases.filter { $0.value == role }.keys.sorted()), "is_system": true,
        ]
    }

    package static func permission(_ permission: Permission) -> JSONValue {
        let parts = permission.rawValue.split(separator: ".", maxSplits: 1).map(String.init)
        return [
            "id": .string(permission.rawValue), "name": .string(permission.rawValue),
            "resource": .string(parts[0]), "action": .string(parts.count > 1 ? parts[1] : ""),
        ]
    }

    package static func assignment(_ user: UserID, email: String, _ role: Role, _ organization: OrganizationID)
        -> JSONValue
    {
        [
            "user_id": .string(user.text), "email": .string(email), "role": .string(role.rawValue),
            "role_id": .string(role.rawValue), "org_id": .string(organization.text),
        ]
    }

    package static func check(_ permission: String, isAllowed: Bool, _ role: Role) -> JSONValue {
        ["allowed": .bool(isAllowed), "permission": .string(permission), "role": .string(role.rawValue)]
    }
}

package import Domain

/// What entries of the audit log say besides who, what and when. Never a secret.
package enum AuditDetails {
    package static func user(email: String, role: Role) -> JSONObject {
        JSONObject([("email", .string(email)), ("role", .string(role.rawValue))])
    }

    package static func change(from old: Role, to new: Role) -> JSONObject {
        JSONObject([("old_value", .string(old.rawValue)), ("new_value", .string(new.rawValue))])
    }

    package static func key(name: String, prefix: String) -> JSONObject {
        JSONObject([("name", .string(name)), ("prefix", .string(prefix))])
    }

    package static func wait(seconds: Int64) -> JSONObject { JSONObject([("retry_after_seconds", .int(seconds))]) }
    package static func hold(_ isHeld: Bool) -> JSONObject { JSONObject([("legal_hold", .bool(isHeld))]) }

    package static func denied(_ permission: Permission, method: String, route: String) -> JSONObject {
        JSONObject([
            ("required_permission", .string(permission.rawValue)), ("method", .string(method)),
            ("route", .string(route)),
        ])
    }

    /// Entries that retention removed.
    /// - Parameter hash: of the last of them, in hex.
    package static func removal(firstSeq: Int64, lastSeq: Int64, hash: String) -> JSONObject {
        JSONObject([("first_seq", .int(firstSeq)), ("last_seq", .int(lastSeq)), ("last_hash", .string(hash))])
    }
}

package import Domain

/// What entries of the audit log say besides who, what and when. Never a secret.
package enum AuditDetails {
    package static func user(email: String, role: Role) -> JSONObject {
        JSONObject([("email", .string(email)), ("role", .string(role.rawValue))])
    }

    package static func change(from old: Role, to new: Role) -> JSONObject {
        JSONObject([("old_value", .string(old.rawValue)), ("new_value", .string(new.rawValue))])
    }

    package static func until(_ time: Timestamp) -> JSONObject {
        JSONObject([("expires_at", .string(time.iso8601))])
    }

    package static func budget(_ limit: MicroUSD?) -> JSONObject {
        JSONObject(limit.map { [("limit_micro_usd", .int($0.amount))] } ?? [])
    }

    /// Where an endpoint sends to: the host alone, as a path may hold a secret.
    package static func webhook(host: String) -> JSONObject { JSONObject([("host", .string(host))]) }

    /// What an erasure or an export of a person's data came to.
    package static func person(_ counts: [(String, Int)]) -> JSONObject {
        JSONObject(counts.map { ($0.0, .int(Int64($0.1))) })
    }

    package static func identity(issuer: String, subject: String, email: String) -> JSONObject {
        JSONObject([("issuer", .string(issuer)), ("subject", .string(subject)), ("email", .string(email))])
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

    /// A rotation of the encryption key; its version says nothing about it.
    package static func rotation(version: String, resealed: Int64? = nil, unreadable: Int64? = nil) -> JSONObject {
        var object = JSONObject([("key_version", .string(version))])
        if let resealed { object["resealed"] = .int(resealed) }
        if let unreadable { object["unreadable"] = .int(unreadable) }
        return object
    }

    /// Entries that retention removed.
    /// - Parameter hash: of the last of them, in hex.
    package static func removal(firstSeq: Int64, lastSeq: Int64, hash: String) -> JSONObject {
        JSONObject([("first_seq", .int(firstSeq)), ("last_seq", .int(lastSeq)), ("last_hash", .string(hash))])
    }
}

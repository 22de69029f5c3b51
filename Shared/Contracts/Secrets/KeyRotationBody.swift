package import Domain

/// How stored secrets stand to the encryption keys: for administrators and `aragora keys status`. Never a key.
package enum KeyRotationBody {
    package struct Key: Sendable {
        package let version: String
        package let state: State
        package let activatedAt: Timestamp?
        package let secrets: [(column: String, rows: Int64)]

        /// What the process that answers can do with it.
        package enum State: String, Sendable, CaseIterable { case current, previous, unreadable, retired }

        package init(
            version: String, state: State, activatedAt: Timestamp?, secrets: [(column: String, rows: Int64)]
        ) {
            self.version = version
            self.state = state
            self.activatedAt = activatedAt
            self.secrets = secrets
        }
    }

    package struct Rotation: Sendable {
        package let id: Int64
        package let version: String
        package let state: String
        package let requestedBy: String
        package let startedAt: Timestamp
        package let updatedAt: Timestamp
        package let endedAt: Timestamp?
        package let resealed: Int64
        package let unreadable: Int64
        package let reason: String?

        package init(
            id: Int64, version: String, state: String, requestedBy: String, startedAt: Timestamp, updatedAt: Timestamp,
            endedAt: Timestamp?, resealed: Int64, unreadable: Int64, reason: String?
        ) {
            self.id = id
            self.version = version
            self.state = state
            self.requestedBy = requestedBy
            self.startedAt = startedAt
            self.updatedAt = updatedAt
            self.endedAt = endedAt
            self.resealed = resealed
            self.unreadable = unreadable
            self.reason = reason
        }

        package var json: JSONValue {
            [
                "id": .int(id), "key_version": .string(version), "status": .string(state),
                "requested_by": .string(requestedBy), "started_at": .string(startedAt.iso8601),
                "updated_at": .string(updatedAt.iso8601),
                "ended_at": .optional(endedAt?.iso8601), "resealed": .int(resealed), "unreadable": .int(unreadable),
                "reason": .optional(reason),
            ]
        }
    }

    /// - Parameters:
    ///   - isPreviousNeeded: whether something still opens with a previous key only.
    ///   - previousUntil: when the previous key may go; nil while it is needed, or when there is none.
    package static func keys(
        _ keys: [Key], isPreviousNeeded: Bool, previousUntil: Timestamp?, dueAt: Timestamp?, agingKeys: Int64,
        agingCodes: Int64
    ) -> JSONValue {
        let items = keys.map(key)
        return [
            "keys": .array(items), "items": .array(items), "total": .int(Int64(items.count)),
            "count": .int(Int64(items.count)), "previous_needed": .bool(isPreviousNeeded),
            "previous_removable_at": .optional(previousUntil?.iso8601), "rotation_due_at": .optional(dueAt?.iso8601),
            "api_keys_under_previous": .int(agingKeys), "backup_codes_under_previous": .int(agingCodes),
        ]
    }

    private static func key(_ key: Key) -> JSONValue {
        [
            "key_type": "encryption", "version": .string(key.version), "state": .string(key.state.rawValue),
            "activated_at": .optional(key.activatedAt?.iso8601),
            "secrets": .int(key.secrets.reduce(0) { $0 + $1.rows }),
            "by_store": .object(JSONObject(key.secrets.map { ($0.column, .int($0.rows)) })),
        ]
    }

    package static func status(_ rotations: [Rotation], isRunning: Bool) -> JSONValue {
        [
            "status": isRunning ? "running" : "idle",
            "rotations": .array(rotations.map(\.json)), "items": .array(rotations.map(\.json)),
            "total": .int(Int64(rotations.count)), "count": .int(Int64(rotations.count)),
        ]
    }

    /// What `rotate` did.
    package static func outcome(_ word: String, _ rotation: Rotation?, message: String) -> JSONValue {
        ["status": .string(word), "message": .string(message), "rotation": rotation?.json ?? .null]
    }

    // MARK: Requests

    /// The kinds of keys that are rotated by rows; all others are settings alone.
    package static let keyTypes = ["encryption", "all"]

    /// - Throws: ``ValidationFailure``.
    package static func wish(_ body: [UInt8]) throws(ValidationFailure) {
        var fields = try AccountRequests.read(body)
        if let word = fields.text("key_type", maximum: 64), !keyTypes.contains(word) {
            fields.refuse(
                "key_type", "must be encryption: tokens and signing keys are changed in the settings alone")
        }
        try fields.finish()
    }
}

/// The same, described.
extension Schema {
    private static let keyVersion = text(pattern: "^[0-9a-f]{8}$")
    private static let keyRotation = object([
        "id": .count, "key_version": keyVersion, "status": word(["in_progress", "completed", "failed"]),
        "requested_by": .text, "started_at": .time, "updated_at": .time, "ended_at": time.orNull, "resealed": .count,
        "unreadable": .count, "reason": text.orNull,
    ]).named("KeyRotation")
    private static let storedKey = object([
        "key_type": .constant("encryption"), "version": keyVersion,
        "state": word(KeyRotationBody.Key.State.allCases.map(\.rawValue)), "activated_at": time.orNull,
        "secrets": .count, "by_store": map(.count),
    ]).named("StoredKey")
    package static let storedKeys = object([
        "keys": list(storedKey), "items": list(storedKey), "total": .count, "count": .count,
        "previous_needed": .boolean, "previous_removable_at": time.orNull, "rotation_due_at": time.orNull,
        "api_keys_under_previous": .count, "backup_codes_under_previous": .count,
    ]).named("StoredKeys")
    package static let keyRotations = object([
        "status": word(["running", "idle"]), "rotations": list(keyRotation), "items": list(keyRotation),
        "total": .count, "count": .count,
    ]).named("KeyRotations")
    package static let keyRotationWish = input(["key_type": word(KeyRotationBody.keyTypes).ifGiven])
        .named("KeyRotationWish")
    package static let keyRotationOutcome = object([
        "status": word(["completed", "failed", "in_progress", "skipped"]), "message": .text,
        "rotation": keyRotation.orNull,
    ]).named("KeyRotationOutcome")
}

package import Domain
import PostgresClient

/// Secrets of one column that one key sealed.
package struct SealedCount: Sendable, Hashable {
    package let column: String
    /// Of the key, 8 hex digits.
    package let version: String
    package let rows: Int64
}

/// What ends with the previous key although nothing of it is sealed: codes under it that only a use renews.
package struct AgingDigests: Sendable, Hashable {
    /// Live API keys that were not used since the present key came.
    package let keys: Int64
    /// Users whose backup codes were made before it.
    package let backupCodes: Int64
}

/// An encryption key that was in use.
package struct KnownKey: Sendable, Hashable {
    package let version: String
    package let activatedAt: Timestamp
}

/// One pass over every sealed secret.
package struct KeyRotation: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case inProgress = "in_progress"
        case completed, failed
    }

    package let id: Int64
    package let version: String
    package let state: State
    package let requestedBy: String
    package let holder: String
    package let startedAt: Timestamp
    package let updatedAt: Timestamp
    package let endedAt: Timestamp?
    package let resealed: Int64
    package let unreadable: Int64
    package let reason: String?

    static let columns = """
        id, key_version, state, requested_by, holder, started_at, updated_at, ended_at, resealed, unreadable, reason
        """

    init(_ row: Row) throws(PGError) {
        id = try row.int64("id")
        version = try row.text("key_version")
        state = try row.member("state")
        requestedBy = try row.text("requested_by")
        holder = try row.text("holder")
        startedAt = try row.timestamp("started_at")
        updatedAt = try row.timestamp("updated_at")
        endedAt = try row.optionalTimestamp("ended_at")
        resealed = try row.int64("resealed")
        unreadable = try row.int64("unreadable")
        reason = try row.optionalText("reason")
    }
}

/// Everything that is known of stored secrets and their keys.
package struct KeyStanding: Sendable {
    /// Newest first.
    package let keys: [KnownKey]
    package let counts: [SealedCount]
    package let aging: AgingDigests
    /// Newest first.
    package let rotations: [KeyRotation]
}

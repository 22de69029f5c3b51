package import Domain
import PostgresClient

/// What may be changed of a debate without touching its log; nil leaves it as it is.
package struct DebateEdit: Sendable, Hashable {
    /// An empty one takes the title away.
    package var title: String?
    package var tags: [String]?
    /// A JSON object that replaces what was there.
    package var metadata: [UInt8]?
    package var isArchived: Bool?

    package init() {}
    package var isEmpty: Bool { self == DebateEdit() }
}

extension DebateStore {
    /// - Returns: false when there is no such debate, or it was erased.
    /// - Throws: ``StorageError``.
    package func edit(_ debate: DebateID, _ edit: DebateEdit) async throws(StorageError) -> Bool {
        let metadata = edit.metadata.map { String(decoding: $0, as: UTF8.self) }
        return try await read("edit") {
            try await pool.execute(
                """
                UPDATE debates SET
                    title = CASE WHEN \(edit.title != nil) THEN nullif(\(edit.title), '') ELSE title END,
                    tags = CASE WHEN \(edit.tags != nil) THEN \(edit.tags ?? []) ELSE tags END,
                    metadata = CASE WHEN \(metadata != nil) THEN \(metadata)::jsonb ELSE metadata END,
                    archived_at = CASE WHEN \(edit.isArchived == true) THEN coalesce(archived_at, now())
                                       WHEN \(edit.isArchived == false) THEN NULL ELSE archived_at END
                WHERE id = \(debate) AND erased_at IS NULL AND deleted_at IS NULL
                """) == 1
        }
    }

    /// Hides a debate that was erased: nobody finds it any more. Doing so twice does no harm.
    /// - Throws: ``StorageError``.
    package func hide(_ debate: DebateID) async throws(StorageError) {
        try await read("hide") {
            _ = try await pool.execute(
                """
                UPDATE debates SET deleted_at = coalesce(deleted_at, now())
                WHERE id = \(debate) AND erased_at IS NOT NULL
                """)
        }
    }
}

package import Domain

/// Backups as those who look after the installation see them.
package enum BackupBody {
    /// What a list says of one.
    package struct Row: Sendable {
        package var id: String
        package var status: String
        package var file: String
        package var sizeBytes: Int64?
        package var checksum: String?
        package var rows: Int64
        package var generation: Int64
        package var wasRestored: Bool
        package var failure: String?
        package var startedAt: Timestamp
        package var finishedAt: Timestamp?
        package var verifiedAt: Timestamp?

        package init(
            id: String, status: String, file: String, sizeBytes: Int64?, checksum: String?, rows: Int64,
            generation: Int64, wasRestored: Bool, failure: String?, startedAt: Timestamp, finishedAt: Timestamp?,
            verifiedAt: Timestamp?
        ) {
            self.id = id
            self.status = status
            self.file = file
            self.sizeBytes = sizeBytes
            self.checksum = checksum
            self.rows = rows
            self.generation = generation
            self.wasRestored = wasRestored
            self.failure = failure
            self.startedAt = startedAt
            self.finishedAt = finishedAt
            self.verifiedAt = verifiedAt
        }

        var json: JSONValue {
            [
                "id": .string(id), "backup_id": .string(id), "status": .string(status), "file": .string(file),
                "size_bytes": sizeBytes.map { .int($0) } ?? .null, "checksum": .optional(checksum), "rows": .int(rows),
                "generation": .int(generation), "restore_tested": .bool(wasRestored), "error": .optional(failure),
                "created_at": .string(startedAt.iso8601), "finished_at": .optional(finishedAt?.iso8601),
                "verified_at": .optional(verifiedAt?.iso8601),
            ]
        }
    }

    /// - Parameter lastVerified: the newest that was restored once, whichever page it is on.
    package static func page(
        _ rows: [Row], total: Int, limit: Int, offset: Int, lastVerified: Row?, at now: Timestamp
    ) -> JSONValue {
        let age = lastVerified.map { (now.milliseconds - $0.startedAt.milliseconds) / 1000 }
        return PageBody.make(
            "backups", items: rows.map(\.json), total: total, limit: limit, offset: offset,
            extra: [
                ("last_verified", lastVerified?.json ?? .null),
                ("last_verified_age_seconds", age.map { .int(max(0, $0)) } ?? .null),
                ("timestamp", .string(now.iso8601)),
            ])
    }
}

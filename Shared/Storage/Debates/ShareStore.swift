package import Domain
package import PostgresClient

/// A link that shows one debate to whoever has it.
package struct Share: Sendable, Hashable {
    package let debate: DebateID
    package let createdAt: Timestamp
    package let expiresAt: Timestamp
    /// How often it was opened.
    package let views: Int64
}

/// Links to debates. Their tokens are known by hash only.
package struct ShareStore: Sendable {
    /// Links of one debate that are in force; one more refuses.
    package static let maxPerDebate = 100
    /// Links that one question may name.
    package static let maxCompared = 1000

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// - Parameter tokenHash: SHA-256 of the token, 32 bytes.
    /// - Returns: false when the debate has too many links, or is gone.
    /// - Throws: ``StorageError``.
    package func add(
        _ tokenHash: [UInt8], of debate: DebateID, by creator: String, expiresAt: Timestamp,
        _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Bool {
        do {
            return try await AuditLog.execute(
                """
                INSERT INTO debate_shares (token_hash, debate_id, created_by, expires_at)
                SELECT \(tokenHash), d.id, \(creator), \(expiresAt) FROM debates d
                WHERE d.id = \(debate) AND d.deleted_at IS NULL AND (
                    SELECT count(*) FROM debate_shares s
                    WHERE s.debate_id = d.id AND s.revoked_at IS NULL AND s.expires_at > now()) < \(Self.maxPerDebate)
                """, telling: entry, on: pool) == 1
        } catch { throw StorageError.wrap(error, "share") }
    }

    /// Ends every link of a debate, and says how many were in force.
    /// - Throws: ``StorageError``.
    package func revoke(_ debate: DebateID, _ entry: AuditEntry? = nil) async throws(StorageError) -> Int {
        do {
            return try await AuditLog.execute(
                """
                UPDATE debate_shares SET revoked_at = now()
                WHERE debate_id = \(debate) AND revoked_at IS NULL AND expires_at > now()
                """, telling: entry, on: pool)
        } catch { throw StorageError.wrap(error, "share") }
    }

    /// The debate that a token in force shows, without counting it as opened; nil for any other.
    /// - Throws: ``StorageError``.
    package func debate(of tokenHash: [UInt8]) async throws(StorageError) -> DebateID? {
        do {
            return try await pool.query(
                """
                SELECT debate_id FROM debate_shares
                WHERE token_hash = \(tokenHash) AND revoked_at IS NULL AND expires_at > now()
                """
            ).first.map { try $0.debateID("debate_id") }
        } catch { throw StorageError.wrap(error, "share") }
    }

    /// The link in force of a token whose debate is there, without counting it as opened; nil for any other.
    /// - Throws: ``StorageError``.
    package func find(_ tokenHash: [UInt8]) async throws(StorageError) -> Share? {
        do {
            return try await pool.query(
                """
                SELECT s.debate_id, s.created_at, s.expires_at, s.views
                FROM debate_shares s JOIN debates d ON d.id = s.debate_id
                WHERE s.token_hash = \(tokenHash) AND s.revoked_at IS NULL AND s.expires_at > now()
                    AND d.deleted_at IS NULL
                """
            ).first.map(Self.share)
        } catch { throw StorageError.wrap(error, "share") }
    }

    /// Which of these tokens are in force, with a debate that is there: for those who show what a link shows for long.
    /// - Parameter hashes: at most ``maxCompared``; further ones are not in force.
    /// - Throws: ``StorageError``.
    package func inForce(_ hashes: [[UInt8]]) async throws(StorageError) -> Set<[UInt8]> {
        guard !hashes.isEmpty else { return [] }
        let asked = Array(hashes.prefix(Self.maxCompared))
        do {
            let rows = try await pool.query(
                """
                SELECT s.token_hash FROM debate_shares s JOIN debates d ON d.id = s.debate_id
                WHERE s.token_hash = ANY (\(asked))
                    AND s.revoked_at IS NULL AND s.expires_at > now() AND d.deleted_at IS NULL
                """)
            return Set(try rows.map { try $0.bytes("token_hash") })
        } catch { throw StorageError.wrap(error, "share") }
    }

    private static func share(_ row: Row) throws -> Share {
        Share(
            debate: try row.debateID("debate_id"), createdAt: try row.timestamp("created_at"),
            expiresAt: try row.timestamp("expires_at"), views: try row.int64("views"))
    }

    /// The link in force of a token, counted as opened; nil for one that never was, was revoked or has expired.
    /// - Throws: ``StorageError``.
    package func open(_ tokenHash: [UInt8]) async throws(StorageError) -> Share? {
        do {
            return try await pool.query(
                """
                UPDATE debate_shares SET views = views + 1
                WHERE token_hash = \(tokenHash) AND revoked_at IS NULL AND expires_at > now()
                RETURNING debate_id, created_at, expires_at, views
                """
            ).first.map(Self.share)
        } catch { throw StorageError.wrap(error, "share") }
    }
}

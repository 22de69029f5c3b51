package import Contracts
package import Domain
package import Ledger
package import PostgresClient

/// The reading side of the receipt log: heads, leaves and proofs.
package struct ReceiptLogReader: Sendable {
    package static let entryLimit = 1...1000

    /// One leaf.
    package struct Entry: Sendable {
        package let index: Int64
        package let receipt: ReceiptID
        /// What is hashed.
        package let leaf: [UInt8]
        package let at: Timestamp
    }

    /// How far the log is, for metrics.
    package struct Status: Sendable {
        package let leaves: Int64
        package let waiting: Int64
        /// How long the oldest receipt that no stored head covers has waited; zero when all are.
        package let lag: Duration
    }

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// Whether the schema has a receipt log: a backup of an older one has none until it is migrated.
    /// - Throws: ``StorageError``.
    package func exists() async throws(StorageError) -> Bool {
        do {
            return try await pool.query("SELECT to_regclass('receipt_log_state') IS NOT NULL AS found").first?
                .bool("found") ?? false
        } catch {
            throw StorageError.wrap(error, "receipt log")
        }
    }

    /// The newest head of the present life of the log.
    /// - Throws: ``StorageError``.
    package func head() async throws(StorageError) -> TreeHead? {
        try await head("true")
    }

    /// The newest head of at most that size.
    /// - Throws: ``StorageError``.
    package func head(ofSize size: Int64) async throws(StorageError) -> TreeHead? {
        try await head("h.tree_size = \(size)")
    }

    private func head(_ condition: SQL) async throws(StorageError) -> TreeHead? {
        do {
            let rows = try await pool.query(
                """
                SELECT h.document FROM receipt_log_heads h JOIN installation i ON i.generation = h.generation
                WHERE \(condition) ORDER BY h.tree_size DESC LIMIT 1
                """)
            guard let row = rows.first else { return nil }
            return try TreeHead.parse(try row.bytes("document"))
        } catch {
            throw StorageError.wrap(error, "receipt log head")
        }
    }

    /// Leaves from `start` on, of the first `size`.
    /// - Throws: ``StorageError``.
    package func entries(from start: Int64, size: Int64, limit: Int) async throws(StorageError) -> [Entry] {
        do {
            return try await pool.query(
                """
                SELECT leaf_index, receipt_id, leaf, logged_at FROM receipt_log
                WHERE leaf_index >= \(start) AND leaf_index < \(size) ORDER BY leaf_index
                LIMIT \(min(max(limit, Self.entryLimit.lowerBound), Self.entryLimit.upperBound))
                """
            ).map(Self.entry)
        } catch {
            throw StorageError.wrap(error, "receipt log entries")
        }
    }

    /// - Throws: ``StorageError``.
    package func entry(of receipt: ReceiptID) async throws(StorageError) -> Entry? {
        do {
            return try await pool.query(
                "SELECT leaf_index, receipt_id, leaf, logged_at FROM receipt_log WHERE receipt_id = \(receipt.text)"
            ).first.map(Self.entry)
        } catch {
            throw StorageError.wrap(error, "receipt log entry")
        }
    }

    private static func entry(_ row: Row) throws(PGError) -> Entry {
        Entry(
            index: try row.int64("leaf_index"), receipt: try row.receiptID("receipt_id"),
            leaf: try row.bytes("leaf"), at: try row.timestamp("logged_at"))
    }

    /// The proof itself, from the stored parts of the tree: one read of at most a few dozen rows.
    /// - Throws: ``StorageError``; `.broken` when a part is not there.
    package func path(_ proof: MerkleProof) async throws(StorageError) -> [[UInt8]] {
        let places = proof.places
        do {
            let rows = try await pool.query(
                """
                SELECT n.level, n.index, n.hash FROM receipt_log_nodes n
                JOIN unnest(\(places.map(\.level)), \(places.map(\.index))) AS p (level, index)
                  ON n.level = p.level AND n.index = p.index
                """)
            var hashes: [MerkleNode.Place: [UInt8]] = [:]
            for row in rows {
                let place = MerkleNode.Place(level: try row.int("level"), index: try row.int64("index"))
                hashes[place] = try row.bytes("hash")
            }
            guard let path = proof.path(hashes) else { throw StorageError(.broken, "the receipt log has a hole") }
            return path
        } catch {
            throw StorageError.wrap(error, "receipt log proof")
        }
    }

    /// - Throws: ``StorageError``.
    package func status(timeout: Duration? = nil) async throws(StorageError) -> Status {
        do {
            let rows = try await pool.query(
                """
                WITH head AS (
                    SELECT coalesce(max(h.tree_size), 0) AS size FROM installation i
                    LEFT JOIN receipt_log_heads h ON h.generation = i.generation
                ), oldest AS (
                    (SELECT queued_at AS since FROM receipt_log_queue ORDER BY queued_at, receipt_id LIMIT 1)
                    UNION ALL
                    (SELECT logged_at FROM receipt_log JOIN head ON leaf_index >= head.size ORDER BY leaf_index LIMIT 1)
                )
                SELECT s.tree_size, (SELECT count(*) FROM (SELECT FROM receipt_log_queue LIMIT 1000) q) AS waiting,
                       coalesce((extract(epoch FROM clock_timestamp() - (SELECT min(since) FROM oldest)) * 1000)::bigint, 0)
                           AS lag
                FROM receipt_log_state s
                """, timeout: timeout)
            guard let row = rows.first else { throw StorageError(.broken, "the receipt log has no state") }
            return Status(
                leaves: try row.int64("tree_size"), waiting: try row.int64("waiting"),
                lag: .milliseconds(max(0, try row.int64("lag"))))
        } catch {
            throw StorageError.wrap(error, "receipt log status")
        }
    }

    /// What the state says of the tree, for a check of the whole.
    /// - Throws: ``StorageError``.
    package func state() async throws(StorageError) -> (size: Int64, frontier: [UInt8]) {
        do {
            let rows = try await pool.query("SELECT tree_size, frontier FROM receipt_log_state")
            guard let row = rows.first else { throw StorageError(.broken, "the receipt log has no state") }
            return (try row.int64("tree_size"), try row.bytes("frontier"))
        } catch {
            throw StorageError.wrap(error, "receipt log state")
        }
    }
}

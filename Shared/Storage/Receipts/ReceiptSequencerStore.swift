package import Contracts
import Domain
package import Ledger
import Platform
package import PostgresClient

/// Where the receipt log stands for whoever was just elected to let it grow.
package struct ReceiptLogTerm: Sendable {
    /// Raised by every election; whatever an older one still has on its way changes nothing.
    package let epoch: Int64
    package let origin: String
    package let generation: Int64
    package internal(set) var frontier: MerkleFrontier
    /// The size of the newest stored head of this life of the log; nil when it has none.
    package var headSize: Int64?
    /// The checksum of the newest leaf.
    package internal(set) var newestChecksum: String?
}

/// The writing side of the receipt log: election, appends and heads, each one statement.
///
/// There is nothing to find out after a lost answer: whoever is unsure is elected anew, and reads what is there. The row
/// of the state is locked by an election as by an append, so that what was still on its way is either in what is read,
/// or refused.
package struct ReceiptSequencerStore: Sendable {
    /// Leaves of one append.
    package static let maxBatch = 1024

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    package enum Election: Sendable {
        case elected(ReceiptLogTerm)
        /// Somebody else is; with what the newest leaf is.
        case other(newestChecksum: String?)
    }

    /// Becomes the sequencer when nobody is, or when we were: with an epoch of its own.
    /// - Throws: ``StorageError``.
    package func elect(_ name: String, lease: Duration) async throws(StorageError) -> Election {
        do {
            let rows = try await pool.query(
                """
                WITH mine AS (
                    UPDATE receipt_log_state
                    SET sequencer = \(name), epoch = epoch + 1, expires_at = \(Self.expiry(lease))
                    WHERE expires_at < clock_timestamp() OR sequencer = \(name)
                    RETURNING epoch, log_id, tree_size, frontier, newest_checksum
                )
                SELECT mine.*, i.generation,
                       (SELECT max(tree_size) FROM receipt_log_heads h WHERE h.generation = i.generation) AS head_size
                FROM mine CROSS JOIN installation i
                """)
            if let row = rows.first { return .elected(try Self.term(row)) }
            let others = try await pool.query("SELECT newest_checksum FROM receipt_log_state")
            return .other(newestChecksum: try others.first?.optionalText("newest_checksum"))
        } catch {
            throw StorageError.wrap(error, "receipt log election")
        }
    }

    private static func expiry(_ lease: Duration) -> SQL {
        "clock_timestamp() + \(lease.milliseconds) * interval '1 millisecond'"
    }

    private static func term(_ row: Row) throws -> ReceiptLogTerm {
        let (hashes, size) = (try row.bytes("frontier"), try row.int64("tree_size"))
        let parts = stride(from: 0, to: hashes.count, by: MerkleTree.hashLength).map {
            Array(hashes[$0..<min($0 + MerkleTree.hashLength, hashes.count)])
        }
        guard let frontier = MerkleFrontier(size: size, hashes: parts) else {
            throw StorageError(.broken, "the frontier of the receipt log does not fit its size \(size)")
        }
        let generation = try row.int64("generation")
        return ReceiptLogTerm(
            epoch: try row.int64("epoch"),
            origin: TreeHead.origin(log: try row.text("log_id"), generation: generation), generation: generation,
            frontier: frontier, headSize: try row.optionalInt64("head_size"),
            newestChecksum: try row.optionalText("newest_checksum"))
    }

    /// Receipts that are not in the log, the oldest first.
    /// - Throws: ``StorageError``.
    package func waiting(limit: Int = maxBatch) async throws(StorageError) -> [ReceiptLeaf] {
        do {
            return try await pool.query(
                """
                SELECT receipt_id, checksum, redacted_checksum FROM receipt_log_queue
                ORDER BY queued_at, receipt_id LIMIT \(min(max(limit, 1), Self.maxBatch))
                """
            ).map { row in
                ReceiptLeaf(
                    receipt: try row.receiptID("receipt_id"), checksum: try row.text("checksum"),
                    redactedChecksum: try row.optionalText("redacted_checksum"))
            }
        } catch {
            throw StorageError.wrap(error, "receipt log queue")
        }
    }

    /// Appends leaves at the end of the term's tree, and renews the lease; with no leaves it only renews.
    ///
    /// - Returns: the term after it; nil when the sequencer is somebody else by now. Nothing has happened then.
    /// - Throws: ``StorageError``; it may have happened: be elected anew.
    package func append(
        _ leaves: [ReceiptLeaf], to term: ReceiptLogTerm, lease: Duration
    ) async throws(StorageError) -> ReceiptLogTerm? {
        var next = term
        var nodes: [MerkleNode] = []
        let bytes = leaves.map(\.bytes)
        for leaf in bytes { nodes += next.frontier.append(MerkleTree.leaf(leaf)) }
        next.newestChecksum = leaves.last?.checksum ?? term.newestChecksum
        let first = term.frontier.size
        do {
            let rows = try await pool.query(
                """
                WITH fence AS (
                    UPDATE receipt_log_state
                    SET tree_size = \(next.frontier.size), frontier = \(next.frontier.hashes.flatMap { $0 }),
                        newest_checksum = \(next.newestChecksum), expires_at = \(Self.expiry(lease))
                    WHERE epoch = \(term.epoch) AND tree_size = \(first)
                    RETURNING 1
                ), leaf AS (
                    INSERT INTO receipt_log (leaf_index, receipt_id, leaf)
                    SELECT l.* FROM fence CROSS JOIN unnest(
                        \(leaves.indices.map { first + Int64($0) }), \(leaves.map(\.receipt.text)), \(bytes)) AS l
                ), node AS (
                    INSERT INTO receipt_log_nodes (level, index, hash)
                    SELECT n.* FROM fence CROSS JOIN unnest(
                        \(nodes.map(\.place.level)), \(nodes.map(\.place.index)), \(nodes.map(\.hash))) AS n
                ), taken AS (
                    DELETE FROM receipt_log_queue q USING fence WHERE q.receipt_id = ANY(\(leaves.map(\.receipt.text)))
                )
                SELECT count(*) AS fences FROM fence
                """)
            return try rows.first?.int("fences") == 1 ? next : nil
        } catch {
            throw StorageError.wrap(error, "receipt log append")
        }
    }

    /// Stores a head of the term's tree. Nobody sees a head that is not stored.
    /// - Returns: false when the sequencer is somebody else by now.
    /// - Throws: ``StorageError``; it may have happened, and storing it again does no harm.
    package func store(_ head: TreeHead, of term: ReceiptLogTerm) async throws(StorageError) -> Bool {
        do {
            let rows = try await pool.query(
                """
                WITH fence AS (
                    SELECT tree_size FROM receipt_log_state
                    WHERE epoch = \(term.epoch) AND tree_size = \(head.size) FOR UPDATE
                ), head AS (
                    INSERT INTO receipt_log_heads (generation, tree_size, signed_at, document)
                    SELECT \(term.generation), tree_size, \(head.at), \(head.bytes) FROM fence
                    ON CONFLICT DO NOTHING
                )
                SELECT count(*) AS fences FROM fence
                """)
            return try rows.first?.int("fences") == 1
        } catch {
            throw StorageError.wrap(error, "receipt log head")
        }
    }

    /// Gives the office back, so that the next one need not wait.
    /// - Throws: ``StorageError``.
    package func resign(_ term: ReceiptLogTerm) async throws(StorageError) {
        do {
            _ = try await pool.execute(
                "UPDATE receipt_log_state SET expires_at = '-infinity' WHERE epoch = \(term.epoch)")
        } catch {
            throw StorageError.wrap(error, "receipt log resignation")
        }
    }
}

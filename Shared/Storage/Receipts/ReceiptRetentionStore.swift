package import Domain
package import PostgresClient

/// Deletes receipts when their time has come, and keeps those on legal hold.
package struct ReceiptRetentionStore: Sendable {
    /// Receipts of one transaction.
    package static let batch = 500

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// Deletes receipts older than `days`, the oldest first, at most ``batch``; none that is on legal hold, and none that
    /// is not in the receipt log yet.
    /// - Returns: how many.
    /// - Throws: ``StorageError``; nothing, or all of it, has happened.
    package func deleteExpired(days: Int) async throws(StorageError) -> Int {
        do {
            let rows = try await pool.query(
                """
                WITH due AS (
                    SELECT id FROM receipts r
                    WHERE created_at < now() - \(days) * interval '1 day' AND NOT legal_hold
                      AND EXISTS (SELECT FROM receipt_log l WHERE l.receipt_id = r.id)
                    ORDER BY created_at LIMIT \(Self.batch) FOR UPDATE SKIP LOCKED
                ), gone AS (
                    DELETE FROM receipts r USING due WHERE r.id = due.id RETURNING r.id, r.debate_id
                ), noted AS (
                    INSERT INTO expired_receipts (receipt_id, debate_id) SELECT id, debate_id FROM gone
                    ON CONFLICT DO NOTHING
                )
                SELECT count(*) AS n FROM gone
                """)
            return try rows.first?.int("n") ?? 0
        } catch {
            throw StorageError.wrap(error, "receipt retention")
        }
    }

    /// Sets or lifts a legal hold.
    /// - Parameter reason: why it is held; kept until it is lifted.
    /// - Returns: false when there is no such receipt.
    /// - Throws: ``StorageError``; doing it again does no harm.
    package func hold(
        _ receipt: ReceiptID, _ isHeld: Bool, reason: String?, _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Bool {
        do {
            return try await AuditLog.execute(
                """
                UPDATE receipts SET legal_hold = \(isHeld), hold_reason = \(isHeld ? reason : nil)
                WHERE id = \(receipt.text)
                """, telling: entry, on: pool) == 1
        } catch {
            throw StorageError.wrap(error, "legal hold")
        }
    }

    /// Whether the debate had a receipt until its retention passed.
    /// - Throws: ``StorageError``.
    package func isExpired(_ debate: DebateID) async throws(StorageError) -> Bool {
        do {
            return try await !pool.query("SELECT 1 AS one FROM expired_receipts WHERE debate_id = \(debate)").isEmpty
        } catch {
            throw StorageError.wrap(error, "expired receipts")
        }
    }
}

package import Domain
import PostgresClient

extension Takeover {
    /// Debates that the watchdog should end, at most `limit`, the oldest first. Any runner's sweep may ask; end each with
    /// ``end(_:because:seal:)`` and the same reason.
    /// - Throws: ``StorageError``.
    package func due(_ reason: Reason, limit: Int) async throws(StorageError) -> [DebateID] {
        do {
            let rows = try await pool.query(
                """
                SELECT q.debate_id FROM debate_runs q
                WHERE q.status IN \(raw: SQLFragments.open) AND \(LockedRow.isDue(reason))
                ORDER BY q.created_at, q.debate_id LIMIT \(max(0, limit))
                """)
            return try rows.map { try $0.debateID("debate_id") }
        } catch let error as PGError {
            throw StorageError(error, "due")
        } catch {
            throw StorageError(.broken, "due: \(error)")
        }
    }
}

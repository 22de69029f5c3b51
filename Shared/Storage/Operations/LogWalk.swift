package import Domain
package import PostgresClient

/// Walks every log in order, for `db verify` and for checking a restored backup.
package struct LogWalk: Sendable {
    /// Debates of one page.
    package static let maxDebates = 500

    private let pool: PGPool
    private let log: PostgresEventLog

    package init(pool: PGPool) {
        self.pool = pool
        log = PostgresEventLog(pool: pool)
    }

    /// Debates after `last` in the order of their ids, with where their run says the log stands.
    /// - Throws: ``StorageError``.
    package func debates(after last: DebateID?, limit: Int = maxDebates) async throws(StorageError) -> [NewestEvent] {
        do {
            return try await pool.query(
                """
                SELECT debate_id, last_seq, last_hash, status, org_id, '' AS traceparent FROM debate_runs
                WHERE debate_id > \(last?.text ?? "") COLLATE "C"
                ORDER BY debate_id LIMIT \(min(max(limit, 1), Self.maxDebates))
                """
            ).map(DebateRows.newest)
        } catch {
            throw StorageError.wrap(error, "walk")
        }
    }

    /// A debate's events from `seq` on.
    /// - Throws: ``StorageError``.
    package func events(
        of debate: DebateID, from seq: Int64, limit: Int = PostgresEventLog.maxReadLimit
    ) async throws(StorageError) -> [SealedEvent] {
        do { return try await log.read(debate, from: seq, limit: limit) } catch {
            throw StorageError.wrap(error, "walk")
        }
    }

    /// Everything that the tables must agree on and no constraint can say; empty when all is well. At most `limit`.
    /// - Throws: ``StorageError``.
    package func contradictions(limit: Int = 100) async throws(StorageError) -> [String] {
        do {
            return try await pool.query(Self.statement(limit: limit)).map { try $0.text("problem") }
        } catch {
            throw StorageError.wrap(error, "walk")
        }
    }

    private static func statement(limit: Int) -> SQL {
        """
        SELECT problem FROM (
            SELECT 'events without a debate: ' || e.debate_id AS problem FROM debate_events e
            WHERE e.seq = 1 AND NOT EXISTS (SELECT FROM debate_runs r WHERE r.debate_id = e.debate_id)
            UNION ALL
            SELECT 'a debate without a run: ' || d.id FROM debates d
            WHERE NOT EXISTS (SELECT FROM debate_runs r WHERE r.debate_id = d.id)
            UNION ALL
            SELECT 'an ended debate with an open call: ' || c.debate_id FROM agent_calls c JOIN debate_runs r USING (debate_id)
            WHERE c.state = 'intent' AND r.status IN \(raw: SQLFragments.terminal)
            UNION ALL
            SELECT 'an event that consumes no stored call: ' || e.debate_id || ' ' || e.seq FROM debate_events e
            WHERE e.call_key IS NOT NULL AND NOT EXISTS (
                SELECT FROM agent_calls c
                WHERE c.debate_id = e.debate_id AND c.call_key = e.call_key AND c.attempt = e.attempt)
            UNION ALL
            SELECT 'an ended debate whose last event is not debate_end: ' || r.debate_id
            FROM debate_runs r JOIN debate_events e ON e.debate_id = r.debate_id AND e.seq = r.last_seq
            WHERE r.status IN \(raw: SQLFragments.terminal) AND e.type <> 'debate_end'
        ) AS problems ORDER BY problem LIMIT \(max(1, limit))
        """
    }
}

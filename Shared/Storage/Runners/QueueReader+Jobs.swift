package import Domain
import PostgresClient

/// A debate that waits, runs or rests, as those who look after the queue see it.
package struct QueuedJob: Sendable, Hashable {
    package let debate: DebateID
    package let topic: String
    package let status: DebateStatus
    package let priority: Int
    package let owner: RunnerID?
    package let epoch: Int64
    /// Adoptions since the last answer.
    package let attempts: Int
    package let queuedAt: Timestamp
    package let lastProgressAt: Timestamp
    package let deadline: Timestamp
}

/// A process that runs debates.
package struct LiveRunner: Sendable, Hashable {
    package let id: RunnerID
    package let kind: String
    package let startedAt: Timestamp
    package let expiresAt: Timestamp
    package let capacity: Int
    package let running: Int
    package let isLive: Bool
}

extension QueueReader {
    package static let limitRange = 1...200

    /// In the order in which runners take them.
    ///
    /// - Parameters:
    ///   - status: only these; nil for all that are not over.
    ///   - stalledFor: only running ones without progress for so long.
    /// - Throws: ``StorageError``.
    package func jobs(
        status: DebateStatus? = nil, stalledFor: Duration? = nil, limit: Int, offset: Int
    ) async throws(StorageError) -> Page<QueuedJob> {
        var condition: SQL = "r.status IN \(raw: SQLFragments.open)"
        if let status { condition = "\(condition) AND r.status = \(status)" }
        if let stalledFor {
            condition = """
                \(condition) AND r.status = 'running'
                AND r.last_progress_at < now() - \(Int(stalledFor.components.seconds)) * interval '1 second'
                """
        }
        do {
            let answers = try await pool.batch([
                "SELECT count(*) AS total FROM debate_runs r WHERE \(condition)",
                """
                SELECT r.debate_id, d.topic, r.status, r.priority, r.lease_owner, r.lease_epoch, r.attempts, r.queued_at,
                       r.last_progress_at, r.deadline
                FROM debate_runs r JOIN debates d ON d.id = r.debate_id WHERE \(condition)
                ORDER BY r.priority DESC, r.created_at, r.debate_id LIMIT \(limit) OFFSET \(max(0, offset))
                """,
            ])
            return Page(
                items: try answers[1].rows.map { row in
                    QueuedJob(
                        debate: try row.debateID("debate_id"), topic: try row.text("topic"),
                        status: try row.status("status"), priority: try row.int("priority"),
                        owner: try row.runnerID("lease_owner"), epoch: try row.int64("lease_epoch"),
                        attempts: try row.int("attempts"), queuedAt: try row.timestamp("queued_at"),
                        lastProgressAt: try row.timestamp("last_progress_at"), deadline: try row.timestamp("deadline"))
                }, total: try answers[0].rows.first?.int("total") ?? 0)
        } catch { throw StorageError.wrap(error, "jobs") }
    }

    /// Every runner that has a row, live ones first.
    /// - Throws: ``StorageError``.
    package func runners() async throws(StorageError) -> [LiveRunner] {
        do {
            return try await pool.query(
                """
                SELECT n.id, n.kind, n.started_at, n.expires_at, n.capacity, n.expires_at > now() AS live,
                       (SELECT count(*) FROM debate_runs r WHERE r.lease_owner = n.id) AS running
                FROM runners n ORDER BY n.expires_at > now() DESC, n.started_at, n.id LIMIT 1000
                """
            ).compactMap { row in
                guard let id = try row.runnerID("id") else { return nil }
                return LiveRunner(
                    id: id, kind: try row.text("kind"), startedAt: try row.timestamp("started_at"),
                    expiresAt: try row.timestamp("expires_at"), capacity: try row.int("capacity"),
                    running: try row.int("running"), isLive: try row.bool("live"))
            }
        } catch { throw StorageError.wrap(error, "runners") }
    }
}

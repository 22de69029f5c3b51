import Domain
import Platform
import PostgresClient

/// A run as it is found under its lock, and whether the reason to end it still holds.
struct LockedRow {
    let fence: RunFence
    let owner: RunnerID?
    let engineVersion: EngineVersion
    let isDue: Bool

    /// Postgres's clock, at the moment the lock is ours.
    static func lock(_ debate: DebateID, _ reason: Takeover.Reason) -> SQL {
        """
        SELECT q.status, q.lease_epoch, q.last_seq, q.last_hash, q.lease_owner, q.engine_version, (\(isDue(reason))) AS is_due
        FROM debate_runs q WHERE q.debate_id = \(debate) FOR NO KEY UPDATE OF q
        """
    }

    /// The condition on a run `q`.
    static func isDue(_ reason: Takeover.Reason) -> SQL {
        switch reason {
        case .cancelled: "true"
        case .overdue: "q.lease_owner IS NOT NULL AND q.deadline <= clock_timestamp()"
        case .stalled(let limit):
            """
            q.lease_owner IS NOT NULL
            AND q.last_progress_at <= clock_timestamp() - \(limit.milliseconds) * interval '1 millisecond'
            """
        case .exhausted(let attempts, let dead):
            "q.attempts >= \(attempts) AND \(PostgresRunStore.isOrphan(dead: dead))"
        }
    }

    init(_ row: Row) throws(PGError) {
        fence = try RunFence(row)
        owner = try row.runnerID("lease_owner")
        engineVersion = EngineVersion(try row.int("engine_version"))
        isDue = try row.bool("is_due")
    }
}

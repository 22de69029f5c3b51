package import Domain
import PostgresClient

/// Claims and adoptions. Each raises the epoch, which is what takes the debate away from whoever had it.
extension PostgresRunStore {
    package func claim(runner: RunnerID, limit: Int) async throws(RunStoreError) -> [Claim] {
        try await take(.queued, runner) {
            """
            SELECT q.debate_id FROM debate_runs q LEFT JOIN (
                SELECT org_id, count(*) AS running FROM debate_runs WHERE status = 'running' GROUP BY org_id
            ) busy ON busy.org_id IS NOT DISTINCT FROM q.org_id
            WHERE q.status = 'queued' AND q.engine_version = ANY (\(SQLFragments.supportedEngines))
              AND EXISTS (SELECT FROM me)
            ORDER BY q.priority DESC, coalesce(busy.running, 0), q.created_at, q.debate_id
            LIMIT \(Self.bounded(limit)) FOR UPDATE OF q SKIP LOCKED
            """
        }
    }

    package func claim(_ debate: DebateID, runner: RunnerID) async throws(RunStoreError) -> Claim? {
        try await take(.queued, runner) {
            """
            SELECT q.debate_id FROM debate_runs q
            WHERE q.debate_id = \(debate) AND q.status = 'queued'
              AND q.engine_version = ANY (\(SQLFragments.supportedEngines))
              AND EXISTS (SELECT FROM me)
            FOR UPDATE OF q SKIP LOCKED
            """
        }.first
    }

    package func adopt(runner: RunnerID, dead: [RunnerID], limit: Int) async throws(RunStoreError) -> [Claim] {
        try await take(.adopted, runner) {
            """
            SELECT q.debate_id FROM debate_runs q
            WHERE \(Self.isOrphan(dead: dead)) AND q.lease_owner <> \(runner) AND q.attempts < \(maxAttempts)
              AND q.engine_version = ANY (\(SQLFragments.supportedEngines))
              AND EXISTS (SELECT FROM me)
            ORDER BY q.priority DESC, q.created_at, q.debate_id
            LIMIT \(Self.bounded(limit)) FOR UPDATE OF q SKIP LOCKED
            """
        }
    }

    package func reconcile(_ holding: Holding, runner: RunnerID) async throws(RunStoreError) -> Claim? {
        try await take(.reconciled, runner) {
            """
            SELECT q.debate_id FROM debate_runs q
            WHERE q.debate_id = \(holding.debate) AND q.lease_owner = \(runner) AND q.lease_epoch = \(holding.epoch)
              AND q.engine_version = ANY (\(SQLFragments.supportedEngines))
              AND EXISTS (SELECT FROM me)
            FOR UPDATE OF q
            """
        }.first
    }

    /// A run `q` has an owner that is expired, has no row, or is known to be dead. Who is running has an owner, and only
    /// those; said by status, an index answers it also before the table was ever analyzed.
    static func isOrphan(dead: [RunnerID]) -> SQL {
        """
        q.status = 'running' AND (q.lease_owner = ANY (\(dead.map(\.text))) OR NOT EXISTS (
            SELECT FROM runners o WHERE o.id = q.lease_owner AND o.expires_at > now()))
        """
    }

    /// Makes `runner` the holder of the chosen runs. What makes a run eligible is on its row or its owner's, and the row
    /// is locked; a spurious takeover is safe, because the epoch fences the old holder.
    private func take(
        _ kind: Claim.Kind, _ runner: RunnerID, choosing chosen: () -> SQL
    ) async throws(RunStoreError) -> [Claim] {
        let adoption = kind == .adopted ? 1 : 0
        do {
            let rows = try await pool.query(
                """
                WITH me AS (SELECT id FROM runners WHERE id = \(runner) AND expires_at > now()), chosen AS (
                    \(chosen())
                ), taken AS (
                    UPDATE debate_runs r
                    SET status = 'running', lease_owner = me.id, lease_epoch = r.lease_epoch + 1,
                        attempts = r.attempts + \(adoption), last_progress_at = now()
                    FROM chosen, me WHERE r.debate_id = chosen.debate_id
                    RETURNING r.debate_id, r.lease_epoch, r.engine_version, r.created_at, r.traceparent,
                              (extract(epoch FROM r.deadline - clock_timestamp()) * 1000)::bigint AS milliseconds_left
                )
                SELECT alive, taken.* FROM (SELECT EXISTS (SELECT FROM me) AS alive) AS runner LEFT JOIN taken ON true
                """)
            guard try rows.first?.bool("alive") == true else { throw RunStoreError.runnerExpired }
            return try rows.filter { try !$0.isNull("debate_id") }.map { try Self.claim($0, kind) }
        } catch {
            throw Self.error(error, "\(kind.rawValue) claim")
        }
    }

    private static func claim(_ row: Row, _ kind: Claim.Kind) throws(PGError) -> Claim {
        Claim(
            debate: try row.debateID("debate_id"), epoch: try row.int64("lease_epoch"), kind: kind,
            engineVersion: EngineVersion(try row.int("engine_version")), createdAt: try row.timestamp("created_at"),
            timeLeft: .milliseconds(try row.int64("milliseconds_left")), traceparent: try row.text("traceparent"))
    }

    private static func bounded(_ limit: Int) -> Int { min(max(limit, 0), maxBatch) }
}

import Domain
package import PostgresClient

/// Counts what metrics show, in one statement whose work does not grow with the tables: every part reads an index from
/// one end and stops at a bound.
package struct InstallationCounter: Sendable {
    /// Open debates that are looked at.
    package static let maxOpen = 100_000
    /// Ended debates that are looked at.
    package static let maxEnds = 1000
    /// Running debates whose budgets are added up.
    package static let maxBudgets = 500
    /// Receipts that are counted one by one.
    package static let exactReceipts = 1000

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// - Parameter timeout: for waiting and running together.
    /// - Throws: ``StorageError``.
    package func read(timeout: Duration) async throws(StorageError) -> InstallationCounts {
        do {
            guard let row = try await pool.query(Self.statement, timeout: timeout).first else {
                throw StorageError(.broken, "counts: no row")
            }
            return try Self.decode(row)
        } catch {
            throw StorageError.wrap(error, "counts")
        }
    }

    private static func decode(_ row: Row) throws(PGError) -> InstallationCounts {
        InstallationCounts(
            queue: .init(
                running: try row.int("running"), paused: try row.int("paused"), low: try row.int("low"),
                normal: try row.int("normal"), high: try row.int("high"),
                longestWait: .milliseconds(try row.int64("longest_wait_ms")),
                oldestRunning: try row.optionalTimestamp("oldest_running")),
            ends: .init(
                completed: try row.int("completed"), agreed: try row.int("agreed"), failed: try row.int("failed")),
            budgets: .init(
                limit: MicroUSD(try row.int64("budget_limit")), spent: MicroUSD(try row.int64("budget_spent"))),
            workers: try row.int("workers"), embeddedRunners: try row.int("embedded"),
            receipts: try row.int("receipts"), oldestReceipt: try row.optionalTimestamp("oldest_receipt"))
    }

    /// Rows of a table as Postgres's planner guesses them: as dense as when it was last analyzed, over the pages it has now.
    private static let estimate: SQL = """
        CASE WHEN relpages > 0 THEN (reltuples / relpages * (pg_relation_size(oid) / current_setting('block_size')::int))::bigint
             ELSE pg_stat_get_live_tuples(oid) END
        """

    /// A budget is looked up in the specification's text, since a persona may hold an escape that Postgres's JSON refuses, and
    /// one debate must not end all counting. Inside a JSON string the quotes of such a member would be escaped.
    ///
    /// Each ORDER BY … LIMIT names the index to walk; a count without one reads the whole table. LATERAL … LIMIT 1 looks
    /// each row up by its key, where a join might read the whole table to find a few.
    static let statement: SQL = """
        WITH open AS MATERIALIZED (
            SELECT debate_id, status, priority, queued_at, created_at FROM debate_runs
            WHERE status IN \(raw: SQLFragments.open) ORDER BY debate_id LIMIT \(raw: "\(maxOpen)")
        ), queue AS (
            SELECT count(*) FILTER (WHERE status = 'running') AS running,
                   count(*) FILTER (WHERE status = 'paused') AS paused,
                   count(*) FILTER (WHERE status = 'queued' AND priority < 0) AS low,
                   count(*) FILTER (WHERE status = 'queued' AND priority = 0) AS normal,
                   count(*) FILTER (WHERE status = 'queued' AND priority > 0) AS high,
                   coalesce(greatest(extract(epoch FROM now() - min(queued_at) FILTER (WHERE status = 'queued')), 0)
                            * 1000, 0)::bigint AS longest_wait_ms,
                   min(created_at) FILTER (WHERE status = 'running') AS oldest_running
            FROM open
        ), ends AS (
            SELECT count(*) FILTER (WHERE r.status = 'completed') AS completed,
                   count(*) FILTER (WHERE r.status = 'completed' AND d.consensus_reached) AS agreed,
                   count(*) FILTER (WHERE r.status IN ('failed', 'timeout')) AS failed
            FROM (SELECT id, consensus_reached FROM debates WHERE completed_at > now() - interval '1 hour'
                  ORDER BY completed_at DESC LIMIT \(raw: "\(maxEnds)")) d
            CROSS JOIN LATERAL (SELECT status FROM debate_runs WHERE debate_id = d.id LIMIT 1) r
        ), budgets AS (
            SELECT coalesce(sum(budget), 0)::bigint AS budget_limit, coalesce(sum(spent), 0)::bigint AS budget_spent
            FROM (SELECT debate_id FROM open WHERE status = 'running' LIMIT \(raw: "\(maxBudgets)")) o
            CROSS JOIN LATERAL (SELECT id, spec FROM debates WHERE id = o.debate_id LIMIT 1) d
            CROSS JOIN LATERAL (
                SELECT substring(convert_from(d.spec, 'UTF8') FROM '"budget_micro_usd":([0-9]+)')::bigint AS budget) b
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(c.cost_micro_usd), 0) AS spent FROM agent_calls c WHERE c.debate_id = d.id) s
            WHERE budget IS NOT NULL
        ), live AS (
            SELECT count(*) FILTER (WHERE kind = 'worker') AS workers,
                   count(*) FILTER (WHERE kind = 'embedded') AS embedded
            FROM runners WHERE expires_at > now()
        ), counted AS (
            SELECT count(*) AS receipts FROM (
                SELECT FROM receipts ORDER BY created_at DESC, id DESC LIMIT \(raw: "\(exactReceipts + 1)")) newest
        )
        SELECT queue.*, ends.*, budgets.*, live.*,
               CASE WHEN counted.receipts <= \(raw: "\(exactReceipts)") THEN counted.receipts
                    ELSE greatest(counted.receipts, (SELECT \(estimate) FROM pg_class WHERE oid = 'receipts'::regclass))
               END AS receipts,
               (SELECT created_at FROM receipts ORDER BY created_at, id LIMIT 1) AS oldest_receipt
        FROM queue, ends, budgets, live, counted
        """
}

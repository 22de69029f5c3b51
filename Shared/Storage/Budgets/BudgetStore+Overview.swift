package import Domain
import PostgresClient

/// What metrics show of all organizations' budgets.
extension BudgetStore {
    /// Open debates that are looked at.
    package static let maxOpenAccounts = 500

    package struct Overview: Sendable, Hashable {
        /// Of calls that are in flight, of ``BudgetStore/maxOpenAccounts`` debates at most.
        package let reserved: MicroUSD
        /// What the tightest enabled budget has left of its period's limit; 1 without any.
        package let tightest: Ratio
    }

    /// - Parameter timeout: for waiting and running together.
    package func overview(timeout: Duration) async throws(StorageError) -> Overview {
        try await write("budget overview") {
            let rows = try await pool.query(
                """
                SELECT (SELECT coalesce(sum(a.reserved_micro_usd), 0)::bigint
                        FROM (SELECT debate_id FROM debate_runs WHERE status IN \(raw: SQLFragments.open)
                              ORDER BY debate_id LIMIT \(Self.maxOpenAccounts)) o
                        CROSS JOIN LATERAL (SELECT reserved_micro_usd FROM debate_accounts
                                            WHERE debate_id = o.debate_id LIMIT 1) a) AS reserved,
                       coalesce((SELECT min(greatest(0, (b.limit_micro_usd - coalesce(p.spent_micro_usd + p.allocated_micro_usd, 0))
                                                        * 10000.0 / b.limit_micro_usd))::bigint
                        FROM budgets b LEFT JOIN budget_periods p ON p.budget_id = b.id
                             AND p.starts_at = greatest(budget_period_start(b.period, now()), b.reset_at)::timestamptz(3)
                        WHERE b.enabled AND b.deleted_at IS NULL), 10000) AS tightest
                """, timeout: timeout)
            guard let row = rows.first else { throw StorageError(.broken, "budget overview: no row") }
            return Overview(
                reserved: MicroUSD(try row.int64("reserved")),
                tightest: Ratio(tenThousandths: try row.int64("tightest")))
        }
    }
}

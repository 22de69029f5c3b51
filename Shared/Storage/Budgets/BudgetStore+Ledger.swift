package import Domain
import PostgresClient

/// What happened to the money, and what was said of it.
extension BudgetStore {
    /// Entries of one read at most.
    package static let maxEntries = 1000

    /// An alert and whether somebody has seen it.
    package struct RaisedAlert: Sendable, Hashable {
        package let alert: BudgetAlert
        package let debate: DebateID
        package let periodStart: Timestamp
        package let raisedAt: Timestamp
        package let acknowledgedAt: Timestamp?
        package let acknowledgedBy: String?
    }

    /// A debate's cost as one budget bears it.
    package struct Charge: Sendable, Hashable {
        package let debate: DebateID
        package let user: String
        package let at: Timestamp
        package let spent: MicroUSD
        package let isOver: Bool
    }

    /// Every entry after `number`, in order: for whoever replays the books with ``BudgetAudit``.
    package func entries(after number: Int64, limit: Int) async throws(StorageError) -> [BudgetEntry] {
        try await write("budget entries") {
            try await pool.query(
                """
                SELECT id, at, kind, debate_id, budget_id, starts_at, call_key, attempt, amount_micro_usd, spent_micro_usd
                FROM budget_entries WHERE id > \(number) ORDER BY id LIMIT \(min(max(limit, 1), Self.maxEntries))
                """
            ).map(Self.entry)
        }
    }

    /// Alerts of a budget, newest first.
    package func alerts(
        of budget: BudgetID, limit: Int, offset: Int
    ) async throws(StorageError) -> [RaisedAlert] {
        try await write("budget alerts") {
            try await pool.query(
                """
                SELECT l.*, b.name FROM budget_alerts l JOIN budgets b ON b.id = l.budget_id
                WHERE l.budget_id = \(budget.text) ORDER BY l.id DESC LIMIT \(limit) OFFSET \(offset)
                """
            ).map(Self.raised)
        }
    }

    /// - Returns: false when the budget has no such alert.
    package func acknowledge(
        _ alert: Int64, of budget: BudgetID, by user: String
    ) async throws(StorageError) -> Bool {
        try await write("acknowledge") {
            try await pool.execute(
                """
                UPDATE budget_alerts SET acknowledged_at = coalesce(acknowledged_at, now()),
                    acknowledged_by = coalesce(acknowledged_by, \(user))
                WHERE id = \(alert) AND budget_id = \(budget.text)
                """) > 0
        }
    }

    /// What debates cost a budget, newest first.
    package func charges(
        of budget: BudgetID, since: Timestamp? = nil, until: Timestamp? = nil, user: String? = nil, limit: Int,
        offset: Int
    ) async throws(StorageError) -> [Charge] {
        try await write("budget charges") {
            try await pool.query(
                """
                SELECT d.id, d.created_by, d.created_at, c.spent_micro_usd, c.closed_at IS NOT NULL AS is_over
                FROM budget_allocations a JOIN debate_accounts c USING (debate_id) JOIN debates d ON d.id = a.debate_id
                WHERE a.budget_id = \(budget.text) AND (\(user)::text IS NULL OR d.created_by = \(user))
                  AND (\(since?.milliseconds)::bigint IS NULL OR d.created_at >= to_timestamp(\(since?.milliseconds)::bigint / 1000.0))
                  AND (\(until?.milliseconds)::bigint IS NULL OR d.created_at <= to_timestamp(\(until?.milliseconds)::bigint / 1000.0))
                ORDER BY d.id DESC LIMIT \(limit) OFFSET \(offset)
                """
            ).map { row in
                Charge(
                    debate: try row.debateID("id"), user: try row.text("created_by"),
                    at: try row.timestamp("created_at"),
                    spent: MicroUSD(try row.int64("spent_micro_usd")), isOver: try row.bool("is_over"))
            }
        }
    }

    // MARK: Rows

    private static func entry(_ row: Row) throws(PGError) -> BudgetEntry {
        var call: CallReference?
        if let key = try row.optionalText("call_key") {
            call = CallReference(key: CallKey(key), attempt: try row.int("attempt"))
        }
        return BudgetEntry(
            number: try row.int64("id"), at: try row.timestamp("at"), kind: try row.member("kind"),
            debate: try row.optionalText("debate_id").flatMap { DebateID($0) },
            budget: try row.optionalText("budget_id").flatMap { BudgetID($0) },
            start: try row.optionalTimestamp("starts_at"), call: call,
            amount: try row.optionalInt64("amount_micro_usd").map { MicroUSD($0) },
            spent: MicroUSD(try row.int64("spent_micro_usd")))
    }

    private static func raised(_ row: Row) throws(PGError) -> RaisedAlert {
        guard let budget = BudgetID(try row.text("budget_id")) else { throw PGError(.decoding, "an alert's budget") }
        return RaisedAlert(
            alert: BudgetAlert(
                number: try row.int64("id"), budget: budget, name: try row.text("name"),
                threshold: try row.int("threshold"), spent: MicroUSD(try row.int64("spent_micro_usd")),
                limit: MicroUSD(try row.int64("limit_micro_usd"))),
            debate: try row.debateID("debate_id"), periodStart: try row.timestamp("starts_at"),
            raisedAt: try row.timestamp("raised_at"), acknowledgedAt: try row.optionalTimestamp("acknowledged_at"),
            acknowledgedBy: try row.optionalText("acknowledged_by"))
    }
}

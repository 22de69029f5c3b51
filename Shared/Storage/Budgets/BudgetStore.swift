package import Domain
package import PostgresClient

/// Budgets of organizations. What is spent of them is moved by the functions of the migration, never here.
///
/// Every method throws ``StorageError``; the API calls them.
package struct BudgetStore: Sendable {
    /// Budgets that one organization may have.
    package static let maxBudgets = 100

    let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// A budget and how it stands in its present period.
    package struct Standing: Sendable, Hashable {
        package let budget: Budget
        package let window: BudgetPeriod.Window
        package let usage: BudgetUsage
    }

    /// What may be changed; nil leaves it.
    package struct Change: Sendable, Hashable {
        package var name: String?
        package var limit: MicroUSD?
        package var alertThreshold: Int?
        package var isEnabled: Bool?
        package init() {}
    }

    /// - Returns: false when the organization has as many as it may have.
    package func create(_ budget: Budget, _ entry: AuditEntry? = nil) async throws(StorageError) -> Bool {
        try await write("create budget") {
            try await AuditLog.execute(
                """
                INSERT INTO budgets (id, org_id, name, limit_micro_usd, period, alert_threshold, enabled, created_by,
                                     created_at, updated_at)
                SELECT \(budget.id.text), \(budget.organization.text), \(budget.name), \(budget.limit.amount),
                       \(budget.period.rawValue), \(budget.alertThreshold), \(budget.isEnabled), \(budget.createdBy),
                       \(budget.createdAt), \(budget.updatedAt)
                WHERE (SELECT count(*) FROM budgets WHERE org_id = \(budget.organization.text) AND deleted_at IS NULL)
                      < \(Self.maxBudgets)
                """, telling: entry, on: pool) > 0
        }
    }

    /// The oldest first.
    package func standings(of organization: OrganizationID) async throws(StorageError) -> [Standing] {
        try await write("budgets") {
            try await pool.query(Self.standing("b.org_id = \(organization.text)")).map(Self.decode)
        }
    }

    /// - Returns: nil when the organization has no such budget.
    package func standing(
        of budget: BudgetID, in organization: OrganizationID
    ) async throws(StorageError) -> Standing? {
        try await write("budget") {
            try await pool.query(Self.standing("b.id = \(budget.text) AND b.org_id = \(organization.text)")).first
                .map(Self.decode)
        }
    }

    /// Changes a budget. A lower limit takes nothing from debates that were granted it.
    /// - Returns: false when the organization has no such budget.
    package func change(
        _ budget: BudgetID, in organization: OrganizationID, to change: Change, _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Bool {
        try await update(
            budget, in: organization,
            """
            name = coalesce(\(change.name), name), limit_micro_usd = coalesce(\(change.limit?.amount), limit_micro_usd),
            alert_threshold = coalesce(\(change.alertThreshold), alert_threshold),
            enabled = coalesce(\(change.isEnabled), enabled)
            """, entry)
    }

    /// Debates that draw from it go on; what they spend is still noted.
    /// - Returns: false when the organization has no such budget.
    package func delete(
        _ budget: BudgetID, in organization: OrganizationID, _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Bool {
        try await update(budget, in: organization, "deleted_at = now()", entry)
    }

    /// Begins a new period now. Debates that are running stay in theirs.
    /// - Returns: false when the organization has no such budget.
    package func reset(
        _ budget: BudgetID, in organization: OrganizationID, _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Bool {
        try await update(budget, in: organization, "reset_at = now()", entry)
    }

    private func update(
        _ budget: BudgetID, in organization: OrganizationID, _ assignments: SQL, _ entry: AuditEntry?
    ) async throws(StorageError) -> Bool {
        try await write("update budget") {
            try await AuditLog.execute(
                """
                UPDATE budgets SET \(assignments), updated_at = now()
                WHERE id = \(budget.text) AND org_id = \(organization.text) AND deleted_at IS NULL
                """, telling: entry, on: pool) > 0
        }
    }

    func write<Value>(_ what: String, _ body: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await body() } catch { throw StorageError.wrap(error, what) }
    }

    // MARK: Rows

    private static func standing(_ condition: SQL) -> SQL {
        """
        SELECT b.*, p.starts_at, coalesce(c.spent_micro_usd, 0) AS period_spent, coalesce(o.spent, 0)::bigint AS open_spent,
               coalesce(o.reserved, 0)::bigint AS open_reserved, coalesce(o.granted, 0)::bigint AS open_granted
        FROM budgets b
        CROSS JOIN LATERAL (
            SELECT greatest(budget_period_start(b.period, now()), b.reset_at)::timestamptz(3) AS starts_at) p
        LEFT JOIN budget_periods c ON c.budget_id = b.id AND c.starts_at = p.starts_at
        LEFT JOIN LATERAL (
            SELECT sum(d.spent_micro_usd) AS spent, sum(d.reserved_micro_usd) AS reserved, sum(a.granted_micro_usd) AS granted
            FROM budget_allocations a JOIN debate_accounts d USING (debate_id)
            WHERE a.budget_id = b.id AND a.starts_at = p.starts_at AND a.granted_micro_usd > 0) o ON true
        WHERE b.deleted_at IS NULL AND \(condition) ORDER BY b.id
        """
    }

    private static func decode(_ row: Row) throws(PGError) -> Standing {
        guard let id = BudgetID(try row.text("id")), let organization = OrganizationID(try row.text("org_id")) else {
            throw PGError(.decoding, "a budget's id")
        }
        let budget = Budget(
            id: id, organization: organization, name: try row.text("name"),
            limit: MicroUSD(try row.int64("limit_micro_usd")), period: try row.member("period"),
            alertThreshold: try row.int("alert_threshold"), isEnabled: try row.bool("enabled"),
            createdBy: try row.text("created_by"), createdAt: try row.timestamp("created_at"),
            updatedAt: try row.timestamp("updated_at"), resetAt: try row.optionalTimestamp("reset_at"))
        let start = try row.timestamp("starts_at")
        let (spent, reserved) = (try row.int64("open_spent"), try row.int64("open_reserved"))
        return Standing(
            budget: budget,
            window: BudgetPeriod.Window(start: start, end: budget.period.window(around: start).end),
            usage: BudgetUsage(
                limit: budget.limit, spent: MicroUSD(try row.int64("period_spent") + spent),
                reserved: MicroUSD(reserved),
                idle: MicroUSD(max(0, try row.int64("open_granted") - spent - reserved))))
    }
}

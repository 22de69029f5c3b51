package import Domain
package import PostgresClient

/// Debates as users see them: created, found and listed. Reads are one statement, or two in one round trip.
package struct DebateStore: Sendable {
    /// Debates that one question about newest events may name.
    package static let maxWatched = 10_000
    /// Active debates of one list.
    package static let maxActive = 500
    /// Branches of one list.
    package static let maxBranches = 500
    package static let messageLimitRange = 1...200
    /// How far lists are counted.
    package static let maxCounted = 10_000
    /// Of the debates that a search finds, the newest so many are scored.
    package static let maxScored = 1000

    let pool: PGPool
    let resender: Resender

    package init(pool: PGPool, resend: ResendPolicy = ResendPolicy()) {
        self.pool = pool
        resender = Resender(pool: pool, policy: resend)
    }

    // MARK: One debate

    /// - Throws: ``StorageError``.
    package func debate(_ id: DebateID, within reach: Reach) async throws(StorageError) -> DebateRecord? {
        try await first("get", DebateRows.record) {
            "WHERE d.id = \(id) AND d.deleted_at IS NULL AND \(reach.condition(on: "d.org_id"))"
        }
    }

    /// - Throws: ``StorageError``.
    package func debate(slug: String, within reach: Reach) async throws(StorageError) -> DebateRecord? {
        try await first("get", DebateRows.record) {
            "WHERE d.slug = \(slug) AND d.deleted_at IS NULL AND \(reach.condition(on: "d.org_id"))"
        }
    }

    /// What ``DebateRecord/version`` is now: the row's own word that nothing has changed. Nil when there is no such debate within
    /// reach, or retention took its log. The log itself is not asked: planning that costs Postgres six times as much as this.
    /// - Throws: ``StorageError``.
    package func version(of id: DebateID, within reach: Reach) async throws(StorageError) -> String? {
        try await read("version") {
            try await pool.query(
                """
                SELECT \(raw: DebateRows.version) AS version FROM \(raw: DebateRows.tables)
                WHERE d.id = \(id) AND d.deleted_at IS NULL AND \(reach.condition(on: "d.org_id"))
                    AND NOT (\(EventRetentionStore.removed(id)))
                """
            ).first?.text("version")
        }
    }

    private func first(
        _ what: String, _ decode: (Row) throws -> DebateRecord, _ condition: () -> SQL
    ) async throws(StorageError) -> DebateRecord? {
        try await read(what) {
            try await pool.query(
                "SELECT \(raw: DebateRows.recordColumns) FROM \(raw: DebateRows.tables) \(condition())"
            ).first.map(decode)
        }
    }

    /// Where a debate's log stands; nil when there is no such debate. A gateway reads it after its subscription is confirmed.
    /// - Throws: ``StorageError``.
    package func newest(of debate: DebateID) async throws(StorageError) -> NewestEvent? {
        try await newest(of: [debate]).first
    }

    /// Where the logs of many debates stand, in no order; unknown ones are left out. The gateways' poll.
    /// - Throws: ``StorageError``.
    package func newest(of debates: [DebateID]) async throws(StorageError) -> [NewestEvent] {
        guard !debates.isEmpty else { return [] }
        let ids = debates.prefix(Self.maxWatched).map(\.text)
        return try await read("newest") {
            try await pool.query(
                """
                SELECT debate_id, last_seq, last_hash, status, org_id, traceparent FROM debate_runs WHERE debate_id = ANY (\(ids) COLLATE "C")
                """
            ).map(DebateRows.newest)
        }
    }

    // MARK: Lists

    /// Newest first. Counted as far as ``maxCounted``: beyond that the total is what the list has at least, so that a list costs
    /// the same however many debates are stored.
    /// - Throws: ``StorageError``.
    package func list(_ filter: DebateFilter) async throws(StorageError) -> Page<DebateSummary> {
        let limit = min(max(filter.limit, DebateFilter.limitRange.lowerBound), DebateFilter.limitRange.upperBound)
        return try await read("list") {
            let few = try await few(filter)
            guard few?.isEmpty != true else { return Page(items: [], total: 0) }
            let condition = filter.condition(among: few)
            let answers = try await batch(
                filter,
                [
                    """
                    SELECT count(*) AS total FROM (
                        SELECT FROM \(raw: filter.statuses.isEmpty ? "debates d" : DebateRows.tables) WHERE \(condition)
                        LIMIT \(max(Self.maxCounted, max(0, filter.offset) + limit) + 1)) AS counted
                    """,
                    """
                    SELECT \(raw: DebateRows.summaryColumns) FROM \(raw: DebateRows.tables) WHERE \(condition)
                    ORDER BY d.created_at DESC, d.id DESC LIMIT \(limit) OFFSET \(max(0, filter.offset))
                    """,
                ])
            return Page(
                items: try answers[1].rows.map(DebateRows.summary), total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }

    /// The same after `cursor`, or from the newest; counts nothing, so a page deep in a long list costs what the first one
    /// does.
    /// - Returns: at most the filter's limit, and whether there are more.
    /// - Throws: ``StorageError``.
    package func list(
        _ filter: DebateFilter, after cursor: DebateCursor?
    ) async throws(StorageError) -> (items: [DebateSummary], hasMore: Bool) {
        let limit = min(max(filter.limit, DebateFilter.limitRange.lowerBound), DebateFilter.limitRange.upperBound)
        return try await read("list") {
            let few = try await few(filter)
            guard few?.isEmpty != true else { return ([], false) }
            var condition = filter.condition(among: few)
            if let cursor { condition = "\(condition) AND (d.created_at, d.id) < (\(cursor.createdAt), \(cursor.id))" }
            let found = try await batch(
                filter,
                [
                    """
                    SELECT \(raw: DebateRows.summaryColumns) FROM \(raw: DebateRows.tables) WHERE \(condition)
                    ORDER BY d.created_at DESC, d.id DESC LIMIT \(limit + 1)
                    """
                ])[0].rows.map(DebateRows.summary)
            return (Array(found.prefix(limit)), found.count > limit)
        }
    }

    /// Runs the statements of a list.
    ///
    /// Whether the newest debates are looked through or an index is asked depends on how many have the tag, the words or the
    /// participant; see ``few(_:)`` too. Other lists keep their plans.
    func batch(
        _ filter: DebateFilter, _ statements: [SQL], timeout: Duration? = nil
    ) async throws -> [PGResult] {
        guard filter.tag != nil || filter.agent != nil || filter.text != nil else {
            return try await pool.batch(statements, timeout: timeout)
        }
        let planning: SQL = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"
        return Array(try await pool.batch([planning] + statements, timeout: timeout).dropFirst())
    }

    /// Debates that have not ended, newest first, with their round.
    /// - Throws: ``StorageError``.
    package func active(within reach: Reach, limit: Int = maxActive) async throws(StorageError) -> [ActiveDebate] {
        try await read("active") {
            try await pool.query(
                """
                SELECT \(raw: DebateRows.summaryColumns), coalesce(
                    (SELECT max(e.round) FROM debate_events e WHERE e.debate_id = d.id), 0) AS round
                FROM \(raw: DebateRows.tables) WHERE r.status IN \(raw: SQLFragments.open)
                    AND \(reach.condition(on: "d.org_id"))
                ORDER BY d.created_at DESC, d.id DESC LIMIT \(min(max(limit, 1), Self.maxActive))
                """
            ).map { ActiveDebate(summary: try DebateRows.summary($0), round: try $0.int("round")) }
        }
    }

    /// Debates that branched off one, the oldest first.
    /// - Throws: ``StorageError``.
    package func branches(of debate: DebateID, within reach: Reach) async throws(StorageError) -> [DebateSummary] {
        try await read("branches") {
            try await pool.query(
                """
                SELECT \(raw: DebateRows.summaryColumns) FROM \(raw: DebateRows.tables)
                WHERE d.parent_id = \(debate) AND \(reach.condition(on: "d.org_id")) ORDER BY d.created_at, d.id LIMIT \(Self.maxBranches)
                """
            ).map(DebateRows.summary)
        }
    }

    /// How often the debate, and those that it came from, branched off another: 0 for one that stands for itself.
    /// - Throws: ``StorageError``.
    package func generation(of debate: DebateID) async throws(StorageError) -> Int {
        try await read("generation") {
            try await pool.query(
                """
                WITH RECURSIVE line (parent_id, generation) AS (
                    SELECT parent_id, 0 FROM debates WHERE id = \(debate)
                    UNION ALL
                    SELECT d.parent_id, line.generation + 1 FROM line JOIN debates d ON d.id = line.parent_id
                    WHERE line.generation <= \(Branch.maxGenerations)
                )
                SELECT max(generation + CASE WHEN parent_id IS NULL THEN 0 ELSE 1 END) AS generation FROM line
                """
            ).first?.optionalInt("generation") ?? 0
        }
    }

    /// Statements in order, also while the debate runs.
    /// - Throws: ``StorageError``.
    package func messages(of debate: DebateID, offset: Int, limit: Int) async throws(StorageError) -> Page<
        DebateMessage
    > {
        let bounded = min(max(limit, Self.messageLimitRange.lowerBound), Self.messageLimitRange.upperBound)
        return try await read("messages") {
            let answers = try await pool.batch([
                """
                SELECT count(*) AS total FROM debate_events
                WHERE debate_id = \(debate) AND type IN ('agent_message', 'revision', 'user_message')
                """,
                """
                SELECT idx, seq, round, agent, role, phase, content, ts FROM debate_messages
                WHERE debate_id = \(debate) ORDER BY idx LIMIT \(bounded) OFFSET \(max(0, offset))
                """,
            ])
            return Page(
                items: try answers[1].rows.map(DebateRows.message), total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }

    /// What every agent's calls cost, by name.
    /// - Throws: ``StorageError``.
    package func costs(of debate: DebateID) async throws(StorageError) -> [AgentCosts] {
        try await read("costs") {
            try await pool.query(
                """
                SELECT agent, provider, count(*) AS calls, count(*) FILTER (WHERE state IN ('failed', 'refused')) AS failures,
                       count(*) FILTER (WHERE state = 'unknown') AS unknown, sum(input_tokens)::bigint AS input_tokens,
                       sum(output_tokens)::bigint AS output_tokens, sum(cost_micro_usd)::bigint AS cost
                FROM agent_calls WHERE debate_id = \(debate) GROUP BY agent, provider ORDER BY agent, provider
                """
            ).map(DebateRows.costs)
        }
    }

    func read<Value>(_ what: String, _ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, what) }
    }
}

extension DebateFilter {
    /// The condition on `debates d` and `debate_runs r`.
    var condition: SQL {
        var sql: SQL = "d.deleted_at IS NULL AND \(reach.condition(on: "d.org_id"))"
        if !statuses.isEmpty { sql = "\(sql) AND r.status = ANY (\(statuses.map(\.rawValue)))" }
        if let text { sql = "\(sql) AND \(SearchText.condition(text))" }
        for membership in memberships { sql = "\(sql) AND \(membership)" }
        if let since { sql = "\(sql) AND d.created_at >= \(since)" }
        if let until { sql = "\(sql) AND d.created_at < \(until)" }
        if let domain { sql = "\(sql) AND d.metadata ->> 'domain' = \(domain)" }
        if let organization { sql = "\(sql) AND d.org_id = \(organization)" }
        return sql
    }
}

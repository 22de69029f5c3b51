package import Domain
package import PostgresClient

/// What an organization knows: found, listed, written down, taken away. Conclusions are kept by the transaction that ends
/// their debate, and by nobody else.
package struct KnowledgeStore: Sendable {
    /// How far lists are counted.
    package static let maxCounted = 10_000
    /// Of the items that a search finds, the newest so many are scored.
    package static let maxScored = 1000

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// Conclusions of earlier debates on similar questions, the most similar first, one for each question.
    ///
    /// - Parameters:
    ///   - demo: whether those of demonstration agents may be among them.
    ///   - deadline: for Postgres; past it this fails.
    /// - Throws: ``StorageError``. The caller goes on without.
    package func similar(
        to question: String, in organization: OrganizationID, demo: Bool, maxAgeDays: Int, limit: Int,
        deadline: Duration
    ) async throws(StorageError) -> [KnowledgeItem] {
        try await read("recall") {
            let milliseconds = max(1, Int(deadline / .milliseconds(1)))
            let answers = try await pool.batch([
                "SELECT set_config('statement_timeout', \(String(milliseconds)), true)",
                SimilarConclusions.select(
                    question, in: organization, demo: demo, maxAgeDays: maxAgeDays, limit: limit),
            ])
            return try answers[1].rows.map(KnowledgeRows.item)
        }
    }

    // MARK: Search and lists

    /// Items that fit a text as a person types it into a search box, the best match first of the newest ``maxScored``: scoring
    /// reads each one whole.
    /// - Throws: ``StorageError``.
    package func search(
        _ text: String, in organization: OrganizationID, limit: Int, offset: Int
    ) async throws(StorageError) -> Page<KnowledgeMatch> {
        let query: SQL = "websearch_to_tsquery('english', \(text))"
        // Not in the order of an index: for a word that few have, walking it reads every item.
        let newest: SQL = """
            SELECT k.id FROM knowledge_items k WHERE k.org_id = \(organization.text) AND k.search @@ \(query)
            ORDER BY k.created_at + interval '0 seconds' DESC, k.id DESC LIMIT \(Self.maxScored)
            """
        return try await read("search") {
            let answers = try await pool.batch([
                "SELECT count(*) AS total FROM (\(newest)) AS newest",
                """
                SELECT \(raw: KnowledgeRows.columns), (ts_rank(k.search, \(query), 32) * 10000)::bigint AS score
                FROM knowledge_items k WHERE k.id IN (\(newest))
                ORDER BY score DESC, k.created_at DESC, k.id DESC LIMIT \(Self.bounded(limit)) OFFSET \(max(0, offset))
                """,
            ])
            return Page(
                items: try answers[1].rows.map { row throws(PGError) in
                    KnowledgeMatch(
                        item: try KnowledgeRows.item(row), score: Ratio(tenThousandths: try row.int64("score")))
                }, total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }

    /// Newest first, counted as far as ``maxCounted``: beyond that the total is what there is at least.
    /// - Throws: ``StorageError``.
    package func list(
        _ filter: KnowledgeFilter, in organization: OrganizationID
    ) async throws(StorageError) -> Page<KnowledgeItem> {
        let condition = filter.condition(organization)
        let limit = Self.bounded(filter.limit)
        return try await read("list") {
            let answers = try await pool.batch([
                """
                SELECT count(*) AS total FROM (
                    SELECT FROM knowledge_items k WHERE \(condition)
                    LIMIT \(max(Self.maxCounted, max(0, filter.offset) + limit) + 1)) AS counted
                """,
                """
                SELECT \(raw: KnowledgeRows.columns) FROM knowledge_items k WHERE \(condition)
                ORDER BY k.created_at DESC, k.id DESC LIMIT \(limit) OFFSET \(max(0, filter.offset))
                """,
            ])
            return Page(
                items: try answers[1].rows.map(KnowledgeRows.item), total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }

    private static func bounded(_ limit: Int) -> Int {
        min(max(limit, KnowledgeFilter.limitRange.lowerBound), KnowledgeFilter.limitRange.upperBound)
    }

    /// - Throws: ``StorageError``.
    package func item(_ id: KnowledgeID, in organization: OrganizationID) async throws(StorageError) -> KnowledgeItem? {
        try await read("get") {
            try await pool.query(
                """
                SELECT \(raw: KnowledgeRows.columns) FROM knowledge_items k
                WHERE k.id = \(id) AND k.org_id = \(organization.text)
                """
            ).first.map(KnowledgeRows.item)
        }
    }

    /// - Throws: ``StorageError``.
    package func counts(in organization: OrganizationID) async throws(StorageError) -> KnowledgeCounts {
        try await read("counts") {
            let answers = try await pool.batch([
                """
                SELECT count(*) FILTER (WHERE kind = 'conclusion') AS conclusions,
                       count(*) FILTER (WHERE kind = 'fact') AS facts,
                       coalesce(avg(confidence) * 10000, 0)::bigint AS confidence, max(created_at) AS newest,
                       min(created_at) AS oldest
                FROM knowledge_items WHERE org_id = \(organization.text)
                """,
                """
                SELECT count(DISTINCT r.debate_id) AS recalls FROM knowledge_recalls r
                JOIN knowledge_items k ON k.id = r.item_id WHERE k.org_id = \(organization.text)
                """,
            ])
            guard let row = answers[0].rows.first else { throw PGError(.decoding, "no counts") }
            return KnowledgeCounts(
                conclusions: try row.int("conclusions"), facts: try row.int("facts"),
                confidence: Ratio(tenThousandths: try row.int64("confidence")),
                newest: try row.optionalTimestamp("newest"), oldest: try row.optionalTimestamp("oldest"),
                recalls: try answers[1].rows.first?.int("recalls") ?? 0)
        }
    }

    // MARK: Facts

    /// Writes a fact down. Its id is new, so that doing so twice is an error of the caller.
    /// - Throws: ``StorageError``.
    package func add(_ fact: KnowledgeItem, to organization: OrganizationID) async throws(StorageError) {
        try await read("add") {
            _ = try await pool.execute(
                """
                INSERT INTO knowledge_items (id, org_id, kind, question, content, confidence, topics, metadata, created_by,
                                             created_at)
                VALUES (\(fact.id), \(organization.text), 'fact', '', \(fact.content), \(fact.confidence),
                        \(fact.topics), \(String(decoding: fact.metadata, as: UTF8.self))::jsonb, \(fact.createdBy),
                        \(fact.createdAt))
                """)
        }
    }

    /// Takes an item away: no later debate is shown it. Debates that were shown it keep it.
    /// - Returns: whether there was one.
    /// - Throws: ``StorageError``.
    package func remove(_ id: KnowledgeID, from organization: OrganizationID) async throws(StorageError) -> Bool {
        try await read("remove") {
            try await pool.execute(
                "DELETE FROM knowledge_items WHERE id = \(id) AND org_id = \(organization.text)") > 0
        }
    }

    private func read<Value>(_ what: String, _ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, "knowledge: \(what)") }
    }
}

extension KnowledgeFilter {
    fileprivate func condition(_ organization: OrganizationID) -> SQL {
        var sql: SQL = "k.org_id = \(organization.text)"
        if let topic {
            sql = "\(sql) AND (k.topics @> \([topic]) OR k.search @@ plainto_tsquery('english', \(topic)))"
        }
        if let kind { sql = "\(sql) AND k.kind = \(kind.rawValue)" }
        if minConfidence > .zero { sql = "\(sql) AND k.confidence >= \(minConfidence)" }
        return sql
    }
}

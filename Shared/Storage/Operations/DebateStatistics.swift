package import Domain
package import PostgresClient

/// What came of the debates of some days.
package struct DebateStatistics: Sendable, Hashable {
    package let since: Timestamp
    package let byStatus: [DebateStatus: Int]
    package let byConsensus: [ConsensusMode: Int]
    package let agreed: Int
    package let demo: Int
    /// Means over those that completed; nil without any.
    package let confidence: Ratio?
    package let rounds: Ratio?
    package let duration: Ratio?
    package let cost: MicroUSD

    package var total: Int { byStatus.values.reduce(0, +) }
    package var completed: Int { byStatus[.completed] ?? 0 }
}

/// What one model was asked in the debates of some days.
package struct ModelStatistics: Sendable, Hashable {
    package let provider: ProviderKey
    package let model: String
    package let debates: Int
    package let calls: Int
    package let failures: Int
    package let usage: Usage
    /// Mean milliseconds of a call that ended; nil without any.
    package let latency: Int?
}

/// Counts debates and calls, for people who look; bounded in days and in time.
package struct StatisticsReader: Sendable {
    package static let days = 1...366
    private static let deadline = Duration.seconds(5)

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// - Throws: ``StorageError``.
    package func debates(since: Timestamp, within reach: Reach) async throws(StorageError) -> DebateStatistics {
        let own = Self.condition(since, reach)
        do {
            let answers = try await pool.batch(
                [
                    "SELECT r.status, count(*) AS n FROM \(raw: DebateRows.tables) WHERE \(own) GROUP BY r.status",
                    "SELECT d.consensus, count(*) AS n FROM \(raw: DebateRows.tables) WHERE \(own) GROUP BY d.consensus",
                    """
                    SELECT count(*) FILTER (WHERE d.consensus_reached) AS agreed, count(*) FILTER (WHERE d.demo) AS demo,
                           (avg(d.confidence) FILTER (WHERE r.status = 'completed') * 10000)::bigint AS confidence,
                           (avg(d.rounds_used) FILTER (WHERE r.status = 'completed') * 10000)::bigint AS rounds,
                           (avg(d.duration_seconds) FILTER (WHERE r.status = 'completed') * 10000)::bigint AS duration,
                           coalesce(sum(d.cost_micro_usd), 0)::bigint AS cost
                    FROM \(raw: DebateRows.tables) WHERE \(own)
                    """,
                ], timeout: Self.deadline)
            guard let row = answers[2].rows.first else { throw StorageError(.broken, "statistics: no row") }
            return DebateStatistics(
                since: since,
                byStatus: try Dictionary(
                    answers[0].rows.map { (try $0.status("status"), try $0.int("n")) }, uniquingKeysWith: +),
                byConsensus: try Dictionary(
                    answers[1].rows.map { (try $0.member("consensus") as ConsensusMode, try $0.int("n")) },
                    uniquingKeysWith: +), agreed: try row.int("agreed"), demo: try row.int("demo"),
                confidence: try row.optionalInt64("confidence").map { Ratio(tenThousandths: $0) },
                rounds: try row.optionalInt64("rounds").map { Ratio(tenThousandths: $0) },
                duration: try row.optionalInt64("duration").map { Ratio(tenThousandths: $0) },
                cost: MicroUSD(try row.int64("cost")))
        } catch { throw StorageError.wrap(error, "statistics") }
    }

    /// The models that were asked most first.
    /// - Throws: ``StorageError``.
    package func models(since: Timestamp, within reach: Reach) async throws(StorageError) -> [ModelStatistics] {
        do {
            return try await pool.query(
                """
                SELECT c.provider, c.model, count(DISTINCT c.debate_id) AS debates, count(*) AS calls,
                       count(*) FILTER (WHERE c.state IN ('failed', 'refused')) AS failures,
                       sum(c.input_tokens)::bigint AS input_tokens, sum(c.output_tokens)::bigint AS output_tokens,
                       sum(c.cost_micro_usd)::bigint AS cost, avg(c.latency_ms)::bigint AS latency
                FROM debates d JOIN agent_calls c ON c.debate_id = d.id WHERE \(Self.condition(since, reach))
                GROUP BY c.provider, c.model ORDER BY calls DESC, c.provider, c.model LIMIT 200
                """, timeout: Self.deadline
            ).map { row in
                ModelStatistics(
                    provider: try row.member("provider"), model: try row.text("model"), debates: try row.int("debates"),
                    calls: try row.int("calls"), failures: try row.int("failures"),
                    usage: Usage(
                        inputTokens: try row.int("input_tokens"), outputTokens: try row.int("output_tokens"),
                        cost: MicroUSD(try row.int64("cost"))), latency: try row.optionalInt64("latency").map(Int.init))
            }
        } catch { throw StorageError.wrap(error, "statistics") }
    }

    private static func condition(_ since: Timestamp, _ reach: Reach) -> SQL {
        "d.created_at >= \(since) AND d.deleted_at IS NULL AND \(reach.condition(on: "d.org_id"))"
    }
}

package import Domain
package import PostgresClient

/// How agents stand, and the matches that made it so. Reads only; what writes is the end of a debate, and
/// ``RatingRebuild``.
package struct RatingStore: Sendable {
    package static let limitRange = 1...100
    /// Agents of one unpaged answer.
    package static let maxAgents = 1000

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// The best first.
    ///
    /// - Parameter minMatches: agents with fewer are left out.
    /// - Throws: ``StorageError``.
    package func leaderboard(limit: Int, offset: Int, minMatches: Int) async throws(StorageError) -> Page<AgentRating> {
        try await read("leaderboard") {
            let answers = try await pool.batch([
                """
                SELECT \(raw: RatingRows.ratingColumns) FROM agent_ratings WHERE matches >= \(minMatches)
                ORDER BY agent_ratings.elo DESC, matches DESC, provider, model LIMIT \(limit) OFFSET \(offset)
                """,
                "SELECT count(*) AS total FROM agent_ratings WHERE matches >= \(minMatches)",
            ])
            return Page(
                items: try answers[0].rows.map(RatingRows.rating), total: try answers[1].rows.first?.int("total") ?? 0)
        }
    }

    /// Those of `agents` that have one.
    /// - Throws: ``StorageError``.
    package func ratings(of agents: [RatedAgent]) async throws(StorageError) -> [RatedAgent: AgentRating] {
        guard !agents.isEmpty else { return [:] }
        return try await read("ratings") {
            let ratings = try await pool.query(RatingRows.select(Array(Set(agents)))).map(RatingRows.rating)
            return Dictionary(ratings.map { ($0.agent, $0) }) { first, _ in first }
        }
    }

    /// Those of the debates in reach, the newest first.
    /// - Throws: ``StorageError``.
    package func matches(
        within reach: Reach, limit: Int, offset: Int
    ) async throws(StorageError) -> Page<StoredMatch> {
        let condition: SQL =
            reach == .installation
            ? "true" : "debate_id IN (SELECT d.id FROM debates d WHERE \(reach.condition(on: "d.org_id")))"
        return try await read("matches") {
            let answers = try await pool.batch([
                RatingRows.matches(condition, descending: true, limit: limit, offset: offset),
                "SELECT count(*) AS total FROM matches WHERE \(condition)",
            ])
            return Page(
                items: try answers[0].rows.map(RatingRows.match), total: try answers[1].rows.first?.int("total") ?? 0)
        }
    }

    /// One provider's models together.
    package struct ProviderStanding: Sendable, Hashable {
        package let provider: ProviderKey
        /// Of its best model.
        package let elo: Ratio
        package let wins: Int
    }

    /// Providers with at least one rated model.
    /// - Throws: ``StorageError``.
    package func providers(timeout: Duration? = nil) async throws(StorageError) -> [ProviderStanding] {
        try await read("standings") {
            try await pool.query(
                """
                SELECT provider, (max(elo) * 10000)::bigint AS elo, sum(wins)::bigint AS wins
                FROM agent_ratings GROUP BY provider ORDER BY provider
                """, timeout: timeout
            ).map { row in
                ProviderStanding(
                    provider: try row.member("provider"), elo: Ratio(tenThousandths: try row.int64("elo")),
                    wins: try row.int("wins"))
            }
        }
    }

    private func read<Value>(_ what: String, _ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, what) }
    }
}

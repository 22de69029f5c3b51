import Domain
import PostgresClient

/// Rates a match in the transaction that ends its debate: last in the lock order (design §2.1), so that whoever waits
/// for it here holds nothing that the one before needs.
enum MatchRecorder {
    /// Held to the commit by whoever writes a match. One per schema, and so one per installation.
    static let lock: SQL = """
        SELECT pg_advisory_xact_lock(hashtextextended('aragora ratings of ' || current_schema(), 0))
        """

    /// What ``record(_:of:at:rules:after:in:)`` must know, in three statements: only those after the lock see what its
    /// last holder committed.
    static func preparation(_ match: RatedMatch) -> [SQL] {
        [
            lock, RatingRows.select(Array(Set(match.sides.map(\.agent)))),
            "SELECT coalesce(max(number), 0) + 1 AS next FROM matches",
        ]
    }

    /// - Parameter answers: to ``preparation(_:)``.
    static func record(
        _ match: RatedMatch, of debate: DebateID, at: Timestamp, rules: RatingRules, after answers: ArraySlice<[Row]>,
        in transaction: PGTransaction
    ) async throws {
        let answers = Array(answers)
        guard answers.count == 3, let next = answers[2].first else { throw EventLogError.broken("no next match") }
        let standings = try answers[1].map(RatingRows.rating)
        let (stored, ratings) = StoredMatch.rating(
            match, number: try next.int64("next"), of: debate, at: at, rules: rules,
            standings: Dictionary(standings.map { ($0.agent, $0) }) { first, _ in first })
        _ = try await transaction.queryPipelined([
            RatingRows.insert(stored), RatingRows.upsert(ratings, lastMatches: ratings.map { _ in stored.number }),
        ])
    }
}

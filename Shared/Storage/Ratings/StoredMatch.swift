package import Domain

/// A match with its place among all, and what it did to the ratings.
package struct StoredMatch: Sendable, Hashable {
    /// From 1, without gaps.
    package let number: Int64
    package let debate: DebateID
    package let at: Timestamp
    package let match: RatedMatch
    /// Those in force when it was rated.
    package let rules: RatingRules
    /// Elo of each side's agent, in the order of the sides.
    package let before: [Ratio]
    package let after: [Ratio]

    /// Rates a match after the ones before it.
    ///
    /// - Parameter standings: before it; who is missing is new.
    /// - Returns: the match, and how everyone of it stands then.
    static func rating(
        _ match: RatedMatch, number: Int64, of debate: DebateID, at: Timestamp, rules: RatingRules,
        standings: [RatedAgent: AgentRating]
    ) -> (match: StoredMatch, ratings: [AgentRating]) {
        let ratings = EloRule.rate(match, rules, standings: standings)
        let after = Dictionary(ratings.map { ($0.agent, $0.elo) }) { first, _ in first }
        let stored = StoredMatch(
            number: number, debate: debate, at: at, match: match, rules: rules,
            before: match.sides.map {
                (standings[$0.agent] ?? AgentRating(newcomer: $0.agent, rules: rules)).elo
            },
            after: match.sides.map { after[$0.agent] ?? .zero })
        return (stored, ratings)
    }
}

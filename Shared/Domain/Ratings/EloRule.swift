/// Elo's rule for panels (Elo 1978): every pair of agents in a match is a game, scored by the votes that each got.
///
/// Uses only additions, multiplications and divisions, and rounds every pair's change to four decimals, so that every
/// machine computes the same numbers and what one agent gains others lose.
package enum EloRule {
    /// Differences beyond this count as this.
    static let maxDifference = 4000.0

    /// How everyone stands after a match.
    ///
    /// - Parameter standings: before it; who is missing is new.
    /// - Returns: the agents of the match, each once, in their order.
    package static func rate(
        _ match: RatedMatch, _ rules: RatingRules, standings: [RatedAgent: AgentRating]
    ) -> [AgentRating] {
        var agents: [RatedAgent] = []
        for side in match.sides where !agents.contains(side.agent) { agents.append(side.agent) }
        let changes = changes(match, rules) { standings[$0]?.elo ?? AgentRating(newcomer: $0, rules: rules).elo }
        return agents.map { agent in
            var rating = standings[agent] ?? AgentRating(newcomer: agent, rules: rules)
            rating.elo = Ratio(tenThousandths: rating.elo.tenThousandths + (changes[agent] ?? 0))
            rating.matches += 1
            for side in match.sides where side.agent == agent { rating.count(side) }
            return rating
        }
    }

    /// Ten-thousandths of points; they add up to 0.
    private static func changes(
        _ match: RatedMatch, _ rules: RatingRules, elo: (RatedAgent) -> Ratio
    ) -> [RatedAgent: Int64] {
        var changes: [RatedAgent: Int64] = [:]
        let step = Double(rules.kFactor) * match.weight.value / Double(match.sides.count - 1)
        for (index, one) in match.sides.enumerated() {
            // Nobody plays against itself.
            for other in match.sides[(index + 1)...] where other.agent != one.agent {
                let surprise = score(one, other) - expected(elo(one.agent), against: elo(other.agent))
                let change = Ratio(step * surprise).tenThousandths
                changes[one.agent, default: 0] += change
                changes[other.agent, default: 0] -= change
            }
        }
        return changes
    }

    /// One agent's part of the votes that the two got; a half when neither got any.
    static func score(_ one: RatedMatch.Side, _ other: RatedMatch.Side) -> Double {
        let both = one.votes + other.votes
        return both == 0 ? 0.5 : Double(one.votes) / Double(both)
    }

    /// The score that ratings foretell, 0 to 1.
    package static func expected(_ own: Ratio, against other: Ratio) -> Double {
        1 / (1 + powerOfTen((other.value - own.value) / 400))
    }

    /// What a vote counts under `weighted`: the odds that Elo gives against the panel's mean, from a half to two.
    package static func voteWeight(_ points: Int, among panel: [Int]) -> Ratio {
        let mean = Double(panel.reduce(0, +)) / Double(max(1, panel.count))
        return Ratio(min(2, max(0.5, powerOfTen((Double(points) - mean) / 400))))
    }

    /// 10 to a power, without the system's mathematics, whose last digit differs from one version to the next.
    static func powerOfTen(_ exponent: Double) -> Double {
        let bounded = min(maxDifference / 400, max(-maxDifference / 400, exponent))
        let binary = bounded * 3.321928094887362  // log2 10
        let whole = binary.rounded(.down)
        let part = (binary - whole) * 0.6931471805599453  // ln 2
        var (sum, term) = (1.0, 1.0)
        for n in 1...20 {
            term = term * part / Double(n)
            sum += term
        }
        return sum * Double(sign: .plus, exponent: Int(whole), significand: 1)
    }
}

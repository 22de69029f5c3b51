/// How an agent stands after the matches so far.
package struct AgentRating: Hashable, Sendable {
    package let agent: RatedAgent
    /// Elo points.
    package var elo: Ratio
    package var matches = 0
    /// By seat: an agent that had two seats in a match has two results of it.
    package var wins = 0
    package var losses = 0
    package var draws = 0
    /// Sum of the squared errors of its forecasts.
    package var squaredErrors: Ratio = .zero
    package var forecasts = 0
    /// Of `comparable` matches, those in which its last vote was what its sealed one had been.
    package var kept = 0
    package var comparable = 0

    package init(agent: RatedAgent, elo: Ratio) {
        self.agent = agent
        self.elo = elo
    }

    package init(newcomer agent: RatedAgent, rules: RatingRules) {
        self.init(agent: agent, elo: Ratio(tenThousandths: Int64(rules.initial) * Ratio.one.tenThousandths))
    }

    package var games: Int { wins + losses + draws }
    package var winRate: Ratio { Ratio(wins, of: games) }
    /// Mean squared error of its forecasts, 0 best, 1 worst; nil when it made none.
    package var brier: Ratio? { forecasts == 0 ? nil : Ratio(squaredErrors.value / Double(forecasts)) }
    /// How often it keeps the choice it made alone; nil when that could not be compared yet.
    package var consistency: Ratio? { comparable == 0 ? nil : Ratio(kept, of: comparable) }

    package enum Consistency: String, Sendable, CaseIterable {
        case high, medium, low, unknown
    }

    package var consistencyClass: Consistency {
        guard let consistency else { return .unknown }
        return consistency >= Ratio(0.8) ? .high : consistency >= Ratio(0.5) ? .medium : .low
    }

    /// Whole points, for a debate's specification.
    package var points: Int { Int(elo.value.rounded()) }

    mutating func count(_ side: RatedMatch.Side) {
        switch side.result {
        case .win: wins += 1
        case .loss: losses += 1
        case .draw: draws += 1
        }
        if let error = side.squaredError {
            squaredErrors = Ratio(tenThousandths: squaredErrors.tenThousandths + error.tenThousandths)
            forecasts += 1
        }
        if let kept = side.kept {
            comparable += 1
            if kept { self.kept += 1 }
        }
    }
}

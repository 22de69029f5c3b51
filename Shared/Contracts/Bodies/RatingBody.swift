package import Domain

/// Ratings and matches as the API shows them (contract §4, §6).
package enum RatingBody {
    /// A row of the leaderboard.
    /// - Parameter rank: from 1.
    package static func row(_ rating: AgentRating, rank: Int) -> JSONValue {
        .object(JSONObject([("rank", .int(Int64(rank)))] + members(rating)))
    }

    /// A row of `/api/agents`: somebody who can be asked, or could be once.
    package static func agent(
        _ agent: RatedAgent, isHealthy: Bool?, breaker: String?, isAvailable: Bool, isDefault: Bool, rating: AgentRating
    ) -> JSONValue {
        .object(
            JSONObject(
                [
                    ("available", .bool(isAvailable)), ("healthy", isHealthy.map { .bool($0) } ?? .null),
                    ("circuit_breaker", .optional(breaker)), ("default", .bool(isDefault)),
                ] + members(rating)))
    }

    private static func members(_ rating: AgentRating) -> [(String, JSONValue)] {
        let name = JSONValue.string(rating.agent.name)
        return [
            ("name", name), ("agent_name", name), ("provider", .string(rating.agent.provider.rawValue)),
            ("model", .string(rating.agent.model)), ("demo", .bool(rating.agent.isDemo)), ("elo", .ratio(rating.elo)),
            ("wins", .int(Int64(rating.wins))), ("losses", .int(Int64(rating.losses))),
            ("draws", .int(Int64(rating.draws))), ("win_rate", .ratio(rating.winRate)),
            ("games", .int(Int64(rating.games))), ("matches", .int(Int64(rating.matches))),
            ("consistency", .optional(rating.consistency)),
            ("consistency_class", .string(rating.consistencyClass.rawValue)),
            ("calibration", ["brier": .optional(rating.brier), "forecasts": .int(Int64(rating.forecasts))]),
        ]
    }

    /// A row of `/api/matches/recent`.
    ///
    /// - Parameters:
    ///   - number: from 1, without gaps.
    ///   - changes: of each side's agent, in the order of the sides.
    package static func match(
        number: Int64, debate: DebateID, at: Timestamp, _ match: RatedMatch, changes: [(before: Ratio, after: Ratio)]
    ) -> JSONValue {
        func byName(_ value: (RatedMatch.Side, (before: Ratio, after: Ratio)) -> JSONValue) -> JSONValue {
            .object(JSONObject(zip(match.sides, changes).map { ($0.name, value($0, $1)) }))
        }
        return [
            "number": .int(number), "debate_id": .string(debate.text), "winner": .optional(match.winner),
            "participants": .strings(match.sides.map(\.name)), "domain": "general",
            "elo_changes": byName { _, elo in
                .ratio(Ratio(tenThousandths: elo.after.tenThousandths - elo.before.tenThousandths))
            },
            "agents": byName { side, elo in
                [
                    "name": .string(side.agent.name), "result": .string(side.result.rawValue),
                    "votes": .int(Int64(side.votes)), "elo_before": .ratio(elo.before), "elo_after": .ratio(elo.after),
                ]
            },
            "demo": .bool(match.isDemo), "created_at": .string(at.iso8601),
        ]
    }
}

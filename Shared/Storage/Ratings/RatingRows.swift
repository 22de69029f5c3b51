import Domain
import PostgresClient

/// Ratings and matches as rows of `agent_ratings a`, `matches m` and `match_agents s`.
enum RatingRows {
    static let ratingColumns = """
        provider, model, (elo * 10000)::bigint AS elo, matches, wins, losses, draws, \
        (squared_errors * 10000)::bigint AS squared_errors, forecasts, kept, comparable
        """

    static func rating(_ row: Row) throws(PGError) -> AgentRating {
        var rating = AgentRating(agent: try agent(row), elo: Ratio(tenThousandths: try row.int64("elo")))
        rating.matches = try row.int("matches")
        (rating.wins, rating.losses, rating.draws) = (try row.int("wins"), try row.int("losses"), try row.int("draws"))
        rating.squaredErrors = Ratio(tenThousandths: try row.int64("squared_errors"))
        rating.forecasts = try row.int("forecasts")
        (rating.kept, rating.comparable) = (try row.int("kept"), try row.int("comparable"))
        return rating
    }

    /// Matches with their sides in arrays, in the order of their numbers or against it.
    static func matches(_ condition: SQL, descending: Bool = false, limit: Int, offset: Int = 0) -> SQL {
        """
        SELECT m.number, m.debate_id, m.rated_at, m.winner, m.initial, m.k_factor,
               (m.weight * 10000)::bigint AS weight, s.*
        FROM (SELECT * FROM matches WHERE \(condition)
              ORDER BY number \(raw: descending ? "DESC" : "ASC") LIMIT \(limit) OFFSET \(offset)) m
        CROSS JOIN LATERAL (
            SELECT array_agg(name ORDER BY seat) AS names, array_agg(provider::text ORDER BY seat) AS providers,
                   array_agg(model::text ORDER BY seat) AS models, array_agg(votes::bigint ORDER BY seat) AS votes,
                   array_agg(result ORDER BY seat) AS results,
                   array_agg((squared_error * 10000)::bigint ORDER BY seat) AS squared_errors,
                   array_agg(kept ORDER BY seat) AS kept,
                   array_agg((elo_before * 10000)::bigint ORDER BY seat) AS before,
                   array_agg((elo_after * 10000)::bigint ORDER BY seat) AS after
            FROM match_agents WHERE number = m.number) s
        ORDER BY m.number \(raw: descending ? "DESC" : "ASC")
        """
    }

    static func match(_ row: Row) throws(PGError) -> StoredMatch {
        let (names, providers) = (try row.textArray("names"), try row.textArray("providers"))
        let (models, votes) = (try row.textArray("models"), try row.intArray("votes"))
        let (results, errors) = (try row.textArray("results"), try row.nullableIntArray("squared_errors"))
        let kept = try row.nullableBoolArray("kept")
        var sides: [RatedMatch.Side] = []
        for seat in names.indices {
            guard let provider = ProviderKey(rawValue: providers[seat]),
                let result = RatedMatch.Result(rawValue: results[seat])
            else { throw PGError(.decoding, "match_agents has an unknown value") }
            sides.append(
                RatedMatch.Side(
                    name: names[seat], agent: RatedAgent(provider: provider, model: models[seat]),
                    votes: Int(votes[seat]), result: result,
                    squaredError: errors[seat].map { Ratio(tenThousandths: $0) }, kept: kept[seat]))
        }
        return StoredMatch(
            number: try row.int64("number"), debate: try row.debateID("debate_id"),
            at: try row.timestamp("rated_at"),
            match: RatedMatch(
                sides: sides, winner: try row.optionalText("winner"),
                weight: Ratio(tenThousandths: try row.int64("weight"))),
            rules: RatingRules(initial: try row.int("initial"), kFactor: try row.int("k_factor")),
            before: try row.intArray("before").map { Ratio(tenThousandths: $0) },
            after: try row.intArray("after").map { Ratio(tenThousandths: $0) })
    }

    private static func agent(_ row: Row) throws(PGError) -> RatedAgent {
        RatedAgent(provider: try row.member("provider"), model: try row.text("model"))
    }

    // MARK: Writing

    static func insert(_ match: StoredMatch) -> SQL {
        let sides = match.match.sides
        return """
            WITH match AS (
                INSERT INTO matches (number, debate_id, rated_at, winner, demo, weight, initial, k_factor)
                VALUES (\(match.number), \(match.debate), \(match.at), \(match.match.winner), \(match.match.isDemo),
                        \(match.match.weight), \(match.rules.initial), \(match.rules.kFactor))
                RETURNING number
            )
            INSERT INTO match_agents (number, seat, name, provider, model, votes, result, squared_error, kept, elo_before,
                                      elo_after)
            SELECT match.number, s.seat, s.name, s.provider, s.model, s.votes, s.result, s.error / 10000.0, s.kept,
                   s.before / 10000.0, s.after / 10000.0
            FROM match CROSS JOIN unnest(
                \(sides.map(\.name)), \(sides.map(\.agent.provider.rawValue)), \(sides.map(\.agent.model)),
                \(sides.map(\.votes)), \(sides.map(\.result.rawValue)), \(sides.map { $0.squaredError?.tenThousandths }),
                \(sides.map(\.kept)), \(match.before.map(\.tenThousandths)), \(match.after.map(\.tenThousandths)))
                WITH ORDINALITY AS s (name, provider, model, votes, result, error, kept, before, after, seat)
            """
    }

    /// - Parameter lastMatches: of each, in the same order.
    static func upsert(_ ratings: [AgentRating], lastMatches: [Int64]) -> SQL {
        """
        INSERT INTO agent_ratings (provider, model, elo, matches, wins, losses, draws, squared_errors, forecasts, kept,
                                   comparable, last_match)
        SELECT r.provider, r.model, r.elo / 10000.0, r.matches, r.wins, r.losses, r.draws, r.errors / 10000.0,
               r.forecasts, r.kept, r.comparable, r.last
        FROM unnest(
            \(ratings.map(\.agent.provider.rawValue)), \(ratings.map(\.agent.model)),
            \(ratings.map(\.elo.tenThousandths)), \(ratings.map(\.matches)), \(ratings.map(\.wins)),
            \(ratings.map(\.losses)), \(ratings.map(\.draws)), \(ratings.map(\.squaredErrors.tenThousandths)),
            \(ratings.map(\.forecasts)), \(ratings.map(\.kept)), \(ratings.map(\.comparable)),
            \(lastMatches))
            AS r (provider, model, elo, matches, wins, losses, draws, errors, forecasts, kept, comparable, last)
        ON CONFLICT (provider, model) DO UPDATE SET
            elo = excluded.elo, matches = excluded.matches, wins = excluded.wins, losses = excluded.losses,
            draws = excluded.draws, squared_errors = excluded.squared_errors, forecasts = excluded.forecasts,
            kept = excluded.kept, comparable = excluded.comparable, last_match = excluded.last_match
        """
    }

    static func select(_ agents: [RatedAgent]) -> SQL {
        """
        SELECT \(raw: ratingColumns) FROM agent_ratings JOIN unnest(
            \(agents.map(\.provider.rawValue)), \(agents.map(\.model))) AS w (p, m)
          ON provider = w.p COLLATE "C" AND model = w.m COLLATE "C"
        """
    }
}

import Domain
import PostgresClient
import TestSupport
import Testing

@testable import Storage

/// Ratings are moved by the transaction that ends a debate, one match at a time.
@Suite("Ratings", .needsPostgres, .timeLimit(.minutes(1)))
struct RatingTests {
    static let one = RatedAgent(provider: .anthropic, model: "one")
    static let two = RatedAgent(provider: .openai, model: "two")

    /// The first agent wins with both votes.
    static let won = RatedMatch(
        sides: [
            .init(name: "a", agent: one, votes: 2, result: .win, squaredError: Ratio(0.04), kept: true),
            .init(name: "b", agent: two, votes: 0, result: .loss, squaredError: Ratio(0.81), kept: nil),
        ], winner: "a", weight: .one)

    @Test("an end moves the ratings by the match before it, and keeps what it was made from")
    func moves() async throws {
        try await Bench.with { bench in
            let runner = try await bench.runner()
            for _ in 1...2 {
                var (chain, holding) = try await bench.held(by: runner)
                let (batch, conclusion) = chain.end(epoch: holding.epoch, match: Self.won)
                #expect(try await bench.log.conclude(batch, conclusion) == .appended)
                #expect(try await bench.log.conclude(batch, conclusion) == .alreadyApplied)
            }
            let store = RatingStore(pool: bench.pool)
            let board = try await store.leaderboard(limit: 10, offset: 0, minMatches: 2)
            #expect(board.total == 2 && board.items.map(\.agent) == [Self.one, Self.two])
            // 1500 + 16, then what is left to gain against an expectation of 0.5460.
            #expect(board.items.map(\.elo) == [Ratio(1530.5305), Ratio(1469.4695)])
            #expect(board.items[0].wins == 2 && board.items[1].losses == 2)
            #expect(board.items[1].brier == Ratio(0.81) && board.items[1].consistency == nil)
            #expect(board.items[0].consistency == .one)
            #expect(try await store.leaderboard(limit: 10, offset: 0, minMatches: 3).total == 0)
            #expect(try await store.leaderboard(limit: 1, offset: 1, minMatches: 0).items.map(\.agent) == [Self.two])

            let matches = try await store.matches(within: .installation, limit: 10, offset: 0)
            #expect(matches.total == 2 && matches.items.map(\.number) == [2, 1])
            #expect(matches.items[1].before == [Ratio(1500), Ratio(1500)])
            #expect(matches.items[1].after == [Ratio(1516), Ratio(1484)])
            #expect(matches.items.allSatisfy { $0.match == Self.won && $0.rules == .standard })
            #expect(try await store.ratings(of: [Self.two]).keys.first == Self.two)
        }
    }

    @Test("debates that end at once get numbers without a gap, each rated after the one before")
    func atOnce() async throws {
        let debates = 12
        try await Bench.with(poolSize: 8) { bench in
            let runner = try await bench.runner()
            var held: [(TestChain, Holding)] = []
            for _ in 1...debates { held.append(try await bench.held(by: runner)) }
            try await withThrowingTaskGroup { group in
                for (chain, holding) in held {
                    group.addTask(executorPreference: bench.pool.loop) {
                        var chain = chain
                        let (batch, conclusion) = chain.end(epoch: holding.epoch, match: Self.won)
                        _ = try await bench.log.conclude(batch, conclusion)
                    }
                }
                try await group.waitForAll()
            }
            let matches = try await RatingStore(pool: bench.pool).matches(within: .installation, limit: 100, offset: 0)
                .items.reversed()
            #expect(matches.map(\.number) == Array(1...Int64(debates)))
            #expect(Set(matches.map(\.debate)).count == debates)
            for (earlier, later) in zip(matches, matches.dropFirst()) { #expect(later.before == earlier.after) }
        }
    }

    @Test("an end that does not commit leaves no match, no rating and no gap")
    func lost() async throws {
        struct Killed: Error {}
        try await Bench.with { bench in
            let runner = try await bench.runner()
            let debate = try await bench.held(by: runner).chain.debate
            await #expect(throws: Killed.self) {
                try await bench.pool.withTransaction { transaction in
                    let rate = MatchRecorder.rate(
                        Self.won, of: debate, at: Timestamp(milliseconds: 0), rules: .standard)
                    _ = try await transaction.query(rate)
                    #expect(try await transaction.query("SELECT number FROM matches").count == 1)
                    throw Killed()
                }
            }
            #expect(try await bench.count("matches") == 0)
            #expect(try await bench.count("agent_ratings") == 0)
            var (chain, holding) = try await bench.held(by: runner)
            let (batch, conclusion) = chain.end(epoch: holding.epoch, match: Self.won)
            _ = try await bench.log.conclude(batch, conclusion)
            #expect(
                try await RatingStore(pool: bench.pool).matches(within: .installation, limit: 9, offset: 0).items.map(
                    \.number) == [1])
        }
    }

    @Test("an end whose fence refuses rates nobody")
    func refused() async throws {
        try await Bench.with { bench in
            let runner = try await bench.runner()
            var (chain, holding) = try await bench.held(by: runner)
            _ = try await bench.adopt(from: runner)
            let (batch, conclusion) = chain.end(epoch: holding.epoch, match: Self.won)
            await #expect(throws: EventLogError.self) { try await bench.log.conclude(batch, conclusion) }
            #expect(try await bench.count("matches") == 0)
        }
    }

    @Test("other rules move further, and are kept with the match")
    func rules() async throws {
        try await Bench.with { bench in
            let rules = RatingRules(initial: 1000, kFactor: 64)
            var (chain, holding) = try await bench.held(by: try await bench.runner())
            let (batch, conclusion) = chain.end(epoch: holding.epoch, match: Self.won)
            _ = try await PostgresEventLog(pool: bench.pool, ratings: rules).conclude(batch, conclusion)
            let match = try await RatingStore(pool: bench.pool).matches(within: .installation, limit: 1, offset: 0)
                .items[0]
            #expect(match.rules == rules && match.before[0] == Ratio(1000) && match.after[0] == Ratio(1032))
        }
    }

    /// A panel drawn at random, in which an agent may have two seats.
    private static func drawn(_ random: inout SeededRandom, among agents: Int) -> RatedMatch {
        let results = RatedMatch.Result.allCases
        let sides = (0..<Int.random(in: 2...5, using: &random)).map { seat in
            RatedMatch.Side(
                name: "agent-\(seat)",
                agent: RatedAgent(provider: .openai, model: "m\(Int.random(in: 1...agents, using: &random))"),
                votes: Int.random(in: 0...4, using: &random), result: results.randomElement(using: &random) ?? .draw,
                squaredError: Bool.random(using: &random)
                    ? Ratio(tenThousandths: .random(in: 0...10_000, using: &random)) : nil,
                kept: [true, false, nil].randomElement(using: &random) ?? nil)
        }
        return RatedMatch(
            sides: sides, winner: sides[0].name, weight: Ratio(tenThousandths: .random(in: 0...10_000, using: &random)))
    }

    @Test(
        "SQL and Swift rate alike, to the last digit",
        arguments: [RatingRules.standard, RatingRules(initial: 100, kFactor: 400)])
    func sameRule(rules: RatingRules) async throws {
        var random = SeededRandom(seed: 20_261_121)
        try await Bench.with { bench in
            var standings: [RatedAgent: AgentRating] = [:]
            var expected: [StoredMatch] = []
            for number in 1...120 {
                let match = Self.drawn(&random, among: number < 60 ? 4 : 40)
                let debate = try await bench.debate().debate
                let at = Timestamp(milliseconds: Int64(number) * 1000)
                let rated = StoredMatch.rating(
                    match, number: Int64(number), of: debate, at: at, rules: rules, standings: standings)
                expected.append(rated.match)
                for rating in rated.ratings { standings[rating.agent] = rating }
                _ = try await bench.pool.query(MatchRecorder.rate(match, of: debate, at: at, rules: rules))
            }
            let stored = try await RatingStore(pool: bench.pool).matches(within: .installation, limit: 200, offset: 0)
            #expect(stored.items.reversed() == expected)
            #expect(try await RatingStore(pool: bench.pool).ratings(of: Array(standings.keys)) == standings)
        }
    }
}

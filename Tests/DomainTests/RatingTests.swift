import Testing

@testable import Domain

@Suite("Ratings")
struct RatingTests {
    static let agents = ["anthropic", "openai", "gemini"].map {
        RatedAgent(provider: ProviderKey(spelling: $0) ?? .demo, model: "m")
    }

    /// A debate of three different models; `votes` are (voter, choice, confidence) of the last round.
    private func outcome(
        _ votes: [(Int, Int?, Double)], ballots: [Int: Int] = [:], winner: Int?, reached: Bool = true,
        merged: [[Int]] = [], models: [RatedAgent] = agents, status: DebateStatus = .completed
    ) throws -> DebateOutcome {
        let spec = try DebateSpec(
            topic: "Postgres or MongoDB?",
            agents: models.enumerated().map {
                AgentSpec(name: "a\($0)", provider: $1.provider, model: $1.model)
            })
        let cast = votes.map { voter, choice, confidence in
            Vote(
                agent: "a\(voter)", round: 1, choice: choice.map { "a\($0)" }, reasoning: "",
                confidence: Ratio(confidence), continueDebate: false, usage: Usage(),
                call: CallReference(key: CallKey("r1/vote/a\(voter)"), attempt: 1))
        }
        return DebateOutcome(
            status: status, reason: nil,
            consensus: ConsensusResult(
                round: 1, mode: .majority, threshold: Ratio(0.6), reached: reached, winner: winner.map { "a\($0)" },
                finalAnswer: "", agreement: .one, confidence: .one, supporting: [], dissenting: [],
                merged: merged.map { $0.map { "a\($0)" } }, convergence: Convergence(state: .unknown, similarity: .zero)
            ),
            votes: cast, ballots: Dictionary(uniqueKeysWithValues: ballots.map { ("a\($0)", "a\($1)") }), spec: spec,
            engineVersion: .current, startedAt: Timestamp(milliseconds: 0), roundsUsed: 1, usage: Usage(),
            unknownCalls: 0, participants: [], insight: nil, knowledge: [], isDemo: false, needsReceipt: true)
    }

    private func rate(_ match: RatedMatch, _ standings: [RatedAgent: AgentRating] = [:]) -> [RatedAgent: AgentRating] {
        let ratings = EloRule.rate(match, .standard, standings: standings)
        return Dictionary(uniqueKeysWithValues: ratings.map { ($0.agent, $0) })
    }

    @Test(
        "powers of ten are those of mathematics, to fourteen digits",
        arguments: [
            (-10, 1e-10), (-2.5, 0.0031622776601683794), (-0.333, 0.4645152752227494), (0, 1),
            (0.1, 1.2589254117941673), (1, 10), (3.7, 5011.872336272725), (10, 1e10), (99, 1e10), (-99, 1e-10),
        ])
    func powers(_ exponent: Double, _ power: Double) {
        #expect(abs(EloRule.powerOfTen(exponent) / power - 1) < 1e-14)
    }

    @Test("each agent is scored by the votes of others; its own vote for itself counts for nobody")
    func scores() throws {
        let match = try #require(
            RatedMatch(outcome([(0, 1, 0.5), (1, 0, 0.9), (2, 0, 0.7)], winner: 0)))
        #expect(match.sides.map(\.votes) == [2, 1, 0])
        #expect(match.sides.map(\.result) == [.win, .loss, .loss])
        #expect(match.weight == Ratio(0.7))
        let selfish = try #require(RatedMatch(outcome([(0, 0, 1), (1, 0, 0.6), (2, 2, 1)], winner: 0)))
        #expect(selfish.sides.map(\.votes) == [1, 0, 0] && selfish.weight == Ratio(0.6))
    }

    @Test("positions that are the same share their votes and the win")
    func merged() throws {
        let match = try #require(
            RatedMatch(
                outcome([(0, 1, 1), (1, 1, 1), (2, 1, 0.5)], ballots: [0: 0, 2: 2], winner: 0, merged: [[0, 1]])))
        #expect(match.sides.map(\.votes) == [1, 1, 0])
        #expect(match.sides.map(\.result) == [.win, .win, .loss])
        #expect(match.sides.map(\.kept) == [true, nil, false])
        #expect(match.weight == Ratio(0.5))
    }

    @Test("a forecast is off by the square of what its confidence lacked; without a decision nothing was foretold")
    func calibration() throws {
        let votes: [(Int, Int?, Double)] = [(0, 1, 0.8), (1, 0, 0.9), (2, nil, 0.9)]
        let decided = try #require(RatedMatch(outcome(votes, winner: 1)))
        #expect(decided.sides.map(\.squaredError) == [Ratio(0.04), Ratio(0.81), nil])
        let open = try #require(RatedMatch(outcome(votes, winner: 1, reached: false)))
        #expect(open.sides.allSatisfy { $0.squaredError == nil && $0.result == .draw } && open.winner == nil)
    }

    @Test("nobody is rated by a debate that did not complete, or without a valid vote, or seen through by one alone")
    func unrated() throws {
        #expect(RatedMatch(try outcome([(0, 1, 1)], winner: 1, status: .timeout)) == nil)
        #expect(RatedMatch(try outcome([(0, nil, 1), (1, nil, 1)], winner: nil)) == nil)
        #expect(RatedMatch(try outcome([(0, 0, 1)], winner: 0)) == nil)
    }

    @Test("who dropped out without a vote is no party to it")
    func absent() throws {
        let match = try #require(RatedMatch(outcome([(0, 1, 1), (1, 0, 1)], winner: 0)))
        #expect(match.sides.map(\.name) == ["a0", "a1"])
    }

    @Test("what one gains the others lose, and an even match of two moves half of K")
    func elo() throws {
        let two = try #require(RatedMatch(outcome([(0, 0, 1), (1, 0, 1)], winner: 0)))
        let first = rate(two)
        #expect(first[Self.agents[0]]?.elo == Ratio(1516) && first[Self.agents[1]]?.elo == Ratio(1484))
        // 32 × (1 − 1 ÷ (1 + 10^(−32 ÷ 400))) = 14.5305
        #expect(rate(two, first)[Self.agents[0]]?.elo == Ratio(1530.5305))
        // The underdog gains more: 32 × 1 ÷ (1 + 10^(−32 ÷ 400)) = 17.4695
        let upset = try #require(RatedMatch(outcome([(0, 1, 1), (1, 1, 1)], winner: 1)))
        #expect(rate(upset, first)[Self.agents[1]]?.elo == Ratio(1501.4695))

        var standings: [RatedAgent: AgentRating] = [:]
        for winner in [0, 1, 1, 2, 0, 2, 2] {
            let votes: [(Int, Int?, Double)] = [(0, winner, 0.61), (1, winner, 0.83), (2, (winner + 1) % 3, 0.37)]
            standings = rate(try #require(RatedMatch(outcome(votes, winner: winner))), standings)
            #expect(standings.values.reduce(0) { $0 + $1.elo.tenThousandths } == 3 * 15_000_000)
        }
        #expect(Set(standings.values.map(\.elo)).count == 3)
    }

    @Test("without a vote for another nobody moves")
    func noEvidence() throws {
        let match = try #require(RatedMatch(outcome([(0, 0, 1), (1, 1, 1)], winner: nil, reached: false)))
        #expect(rate(match).values.allSatisfy { $0.elo == Ratio(1500) && $0.draws == 1 })
    }

    @Test("seats of one model play the others, never each other, and each has its result")
    func seats() throws {
        let demo = RatedAgent(provider: .demo, model: "demo")
        let alone = try #require(
            RatedMatch(outcome([(0, 1, 1), (1, 1, 1)], winner: 1, models: [demo, demo])))
        let rating = try #require(rate(alone)[demo])
        #expect(rating.elo == Ratio(1500) && rating.matches == 1 && rating.wins == 1 && rating.losses == 1)
        #expect(alone.isDemo && rating.winRate == Ratio(0.5))
        let mixed = try #require(
            RatedMatch(outcome([(0, 2, 1), (1, 2, 1)], winner: 2, models: [demo, demo, Self.agents[0]])))
        #expect(rate(mixed)[Self.agents[0]]?.elo == Ratio(1516) && rate(mixed)[demo]?.elo == Ratio(1484))
        #expect(rate(mixed)[demo]?.losses == 2)
    }

    @Test(
        "a vote counts by the odds against the panel's mean, from a half to two",
        arguments: [(1500, 1.0), (1600, 1.7783), (1400, 0.5623), (2000, 2), (1000, 0.5)])
    func weights(_ points: Int, _ weight: Double) {
        #expect(EloRule.voteWeight(points, among: [points, 3000 - points]) == Ratio(weight))
    }

    @Test("consistency is the share of matches in which the choice made alone was kept")
    func consistency() throws {
        var standings: [RatedAgent: AgentRating] = [:]
        for ballot in [1, 1, 0, 1] {
            let votes: [(Int, Int?, Double)] = [(0, 1, 1), (1, 1, 1)]
            standings = rate(try #require(RatedMatch(outcome(votes, ballots: [0: ballot], winner: 1))), standings)
        }
        #expect(standings[Self.agents[0]]?.consistency == Ratio(0.75))
        #expect(standings[Self.agents[0]]?.consistencyClass == .medium)
        #expect(standings[Self.agents[1]]?.consistencyClass == .unknown)
    }
}

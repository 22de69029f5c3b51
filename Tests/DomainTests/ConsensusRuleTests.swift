import Testing

@testable import Domain

@Suite("ConsensusRule")
struct ConsensusRuleTests {
    /// - Parameters:
    ///   - votes: each agent's choice; nil abstains, an agent left out has failed.
    ///   - positions: by agent; each its own words unless given.
    private func decide(
        _ votes: [(String, String?)], agents: Int, mode: ConsensusMode, threshold: Ratio? = nil,
        weights: [Double] = [], positions: [String: String] = [:], standing: Vote.Standing = .abstained,
        engine: EngineVersion = .current
    ) throws -> ConsensusResult {
        let spec = try DebateSpec(
            topic: "Postgres or MongoDB?",
            agents: (1...agents).map {
                AgentSpec(
                    name: "demo-\($0)", provider: .demo, model: "demo",
                    weight: Ratio(weights.indices.contains($0 - 1) ? weights[$0 - 1] : 1))
            }, consensus: mode, threshold: threshold)
        var round = RoundState(number: 1)
        for agent in spec.agents { round.proposals[agent.name] = positions[agent.name] ?? "position of \(agent.name)" }
        for (index, (agent, choice)) in votes.enumerated() {
            round.votes[agent] = Vote(
                agent: agent, round: 1, choice: choice, standing: standing, reasoning: "because \(index)",
                confidence: Ratio(0.8), continueDebate: true, usage: Usage(),
                call: CallReference(key: CallKey("r1/vote/\(agent)"), attempt: 1))
        }
        return ConsensusRule(
            spec: spec, engine: engine, round: round, votes: round.votes, failures: [:],
            quorum: max(2, (agents + 1) / 2), judgement: nil
        ).decide()
    }

    @Test(
        "each mode asks for its own share of the votes",
        arguments: [
            (ConsensusMode.majority, [3, 2], true), (.majority, [2, 2, 1], false), (.supermajority, [3, 2], false),
            (.supermajority, [4, 2], true), (.unanimous, [5], true), (.unanimous, [4, 1], false),
            (.any, [2, 1, 1, 1], true), (.any, [2, 2, 1], false), (.weighted, [3, 2], true),
            (.judge, [2, 2, 1], false),
            (.hybrid, [3, 2], true), (.none, [5], false),
        ])
    func shares(mode: ConsensusMode, sizes: [Int], isReached: Bool) throws {
        let choices = sizes.enumerated().flatMap { Array(repeating: "demo-\($0.offset + 1)", count: $0.element) }
        let votes = choices.enumerated().map { ("demo-\($0.offset + 1)", Optional($0.element)) }
        #expect(try decide(votes, agents: choices.count, mode: mode).reached == isReached)
    }

    @Test("weights count where the mode says so")
    func weights() throws {
        let votes: [(String, String?)] = [("demo-1", "demo-1"), ("demo-2", "demo-1"), ("demo-3", "demo-3")]
        let heavy = try decide(votes, agents: 3, mode: .weighted, weights: [1, 1, 4])
        #expect(heavy.winner == "demo-3")
        #expect(heavy.reached)
        #expect(heavy.agreement == Ratio(2, of: 3))
        #expect(try decide(votes, agents: 3, mode: .majority, weights: [1, 1, 4]).winner == "demo-1")
    }

    @Test("a threshold of the debate's own replaces the mode's")
    func threshold() throws {
        let votes: [(String, String?)] = [("demo-1", "demo-1"), ("demo-2", "demo-1"), ("demo-3", "demo-3")]
        #expect(try decide(votes, agents: 3, mode: .majority, threshold: Ratio(0.75)).reached == false)
        #expect(try decide(votes, agents: 3, mode: .majority, threshold: Ratio(0.6)).reached)
    }

    @Test("what says the same in other words is one choice, and the first agent stands for it")
    func merging() throws {
        let same = ["demo-2": "Use Postgres, as the team knows it.", "demo-3": "use postgres as the team KNOWS it"]
        let votes: [(String, String?)] = [("demo-1", "demo-1"), ("demo-2", "demo-2"), ("demo-3", "demo-3")]
        let result = try decide(votes, agents: 3, mode: .majority, positions: same)
        #expect(result.reached)
        #expect(result.winner == "demo-2")
        #expect(result.merged == [["demo-2", "demo-3"]])
        #expect(result.supporting == ["demo-2", "demo-3"])
        // The first engine counted names.
        #expect(
            try decide(votes, agents: 3, mode: .majority, positions: same, engine: EngineVersion(1)).reached == false)
    }

    @Test("a decision needs a quorum of valid votes", arguments: [(1, false), (2, false), (3, true)])
    func quorum(valid: Int, isReached: Bool) throws {
        let votes = (1...5).map { ("demo-\($0)", $0 <= valid ? Optional("demo-1") : nil) }
        #expect(try decide(votes, agents: 5, mode: .majority).reached == isReached)
    }

    @Test(
        "abstentions and votes that can not be read are told apart", arguments: [Vote.Standing.abstained, .malformed])
    func standing(of vote: Vote.Standing) throws {
        let result = try decide(
            [("demo-1", "demo-1"), ("demo-2", "demo-1"), ("demo-3", nil)], agents: 3, mode: .majority, standing: vote)
        #expect(result.abstained == (vote == .abstained ? ["demo-3"] : []))
        #expect(result.malformed == (vote == .malformed ? ["demo-3"] : []))
    }

    @Test("under none all positions stand side by side and nobody wins")
    func none() throws {
        let result = try decide([("demo-1", "demo-1"), ("demo-2", "demo-1")], agents: 2, mode: .none)
        #expect(!result.reached)
        #expect(result.winner == nil)
        #expect(result.confidence == .zero)
        #expect(result.finalAnswer == "demo-1:\nposition of demo-1\n\ndemo-2:\nposition of demo-2")
    }

    @Test("majority needs 60 % of the valid votes")
    func majority() throws {
        let reached = try decide(
            [("demo-1", "demo-2"), ("demo-2", "demo-2"), ("demo-3", "demo-1")], agents: 3, mode: .majority)
        #expect(reached.reached)
        #expect(reached.winner == "demo-2")
        #expect(reached.finalAnswer == "position of demo-2")
        #expect(reached.agreement == Ratio(2, of: 3))
        #expect(reached.confidence == Ratio(0.8 * 0.6667))
        #expect(reached.supporting == ["demo-1", "demo-2"])
        #expect(reached.dissenting == [.init(agent: "demo-3", choice: "demo-1", reasoning: "because 2")])
    }

    @Test(
        "an abstention does not count under majority and is dissent under unanimous",
        arguments: [ConsensusMode.majority, .unanimous])
    func abstention(mode: ConsensusMode) throws {
        let result = try decide([("demo-1", "demo-1"), ("demo-2", "demo-1"), ("demo-3", nil)], agents: 3, mode: mode)
        #expect(result.reached == (mode == .majority))
        #expect(result.agreement == (mode == .majority ? .one : Ratio(2, of: 3)))
        #expect(result.dissenting.map(\.agent) == (mode == .majority ? [] : ["demo-3"]))
    }

    @Test("a missing agent is dissent under unanimous")
    func missing() throws {
        let result = try decide([("demo-1", "demo-1"), ("demo-2", "demo-1")], agents: 3, mode: .unanimous)
        #expect(!result.reached)
        #expect(result.dissenting == [.init(agent: "demo-3", choice: nil, reasoning: "It cast no vote.")])
        #expect(try decide([("demo-1", "demo-1"), ("demo-2", "demo-1")], agents: 2, mode: .unanimous).reached)
    }

    @Test("a tie is not a decision, and its leader is the same everywhere")
    func tie() throws {
        let result = try decide([("demo-1", "demo-2"), ("demo-2", "demo-1")], agents: 2, mode: .majority)
        #expect(!result.reached)
        #expect(result.winner == "demo-1")
        #expect(result.agreement == Ratio(0.5))
    }

    @Test("without a valid vote there is no leader")
    func nobody() throws {
        let result = try decide([("demo-1", nil), ("demo-2", "stranger")], agents: 2, mode: .majority)
        #expect(result.winner == nil)
        #expect(!result.reached)
        #expect(result.finalAnswer.isEmpty)
        #expect(result.confidence == .zero)
    }
}

@Suite("WordSimilarity")
struct WordSimilarityTests {
    @Test(
        "is the share of shared words",
        arguments: [
            ("", "", 1.0), ("a b", "", 0), ("a b", "B, A!", 1), ("a b c", "b c d", 0.5), ("a a a b", "a b", 1),
            ("größe zählt", "größe zählt nicht", 0.6667),
        ])
    func similarity(left: String, right: String, expected: Double) {
        #expect(WordSimilarity.between(left, right) == Ratio(expected))
        #expect(WordSimilarity.between(right, left) == Ratio(expected))
    }

    @Test("reads at most 4000 words")
    func bounded() {
        let long = (0..<4_000).map { "w\($0)" }.joined(separator: " ")
        #expect(WordSimilarity.between(long, long + " and more words") == .one)
    }
}

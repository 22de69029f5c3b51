import Testing

@testable import Domain

@Suite("ConsensusRule")
struct ConsensusRuleTests {
    /// - Parameter votes: each agent's choice; nil abstains, an agent left out has failed.
    private func decide(_ votes: [(String, String?)], agents: Int, mode: ConsensusMode) throws -> ConsensusResult {
        let spec = try DebateSpec.sample(agents: agents, consensus: mode)
        var round = RoundState(number: 1)
        for agent in spec.agents { round.proposals[agent.name] = "position of \(agent.name)" }
        for (index, (agent, choice)) in votes.enumerated() {
            round.votes[agent] = Vote(
                agent: agent, round: 1, choice: choice, reasoning: "because \(index)", confidence: Ratio(0.8),
                continueDebate: true,
                usage: Usage(), call: CallReference(key: CallKey("r1/vote/\(agent)"), attempt: 1))
        }
        return ConsensusRule(spec: spec, round: round, failures: [:]).decide()
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
        "an abstention does not count under majority and is dissent under unanimous", arguments: ConsensusMode.allCases)
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

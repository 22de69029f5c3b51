import Testing

@testable import Domain

@Suite("DebateInsight")
struct DebateInsightTests {
    /// What an agent says when it holds an option: the same words every round, but for some that are the round's own.
    private static func text(_ option: String, _ round: Int) -> String {
        ((0..<8).map { "\(option)\($0)" } + (0..<4).map { "round\(round)n\($0)" }).joined(separator: " ")
    }

    /// Plays a debate whose agents hold these options, first and after each round, and vote for the first who holds theirs.
    private func play(_ held: [[String]], isAdaptive: Bool = false) throws -> DebateOutcome {
        let agents = (1...held[0].count).map { AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo") }
        var debate = try Rehearsal(
            DebateSpec(
                topic: "Which one?", agents: agents, rounds: held.count - 1, consensus: .any, isAdaptive: isAdaptive))
        try debate.run { call in
            guard let place = agents.firstIndex(of: call.agent) else { return nil }
            let isLater = call.phase == .revise || call.phase == .vote
            let mine = Self.text(held[isLater ? call.round : call.round - 1][place], call.round)
            guard call.phase == .vote || call.phase == .ballot else { return mine }
            return "CHOICE: \(call.material.others.first { $0.content == mine }?.agent ?? "none")\nCONTINUE: yes"
        }
        return try #require(debate.outcome)
    }

    @Test("what a panel took over from its critics does not outvote what it thought alone, in an adaptive debate")
    func copied() throws {
        // The fourth takes over what the third says, who criticises it first, and the fifth too, whom it criticises next.
        let held = [["a", "a", "b", "c", "d"], ["a", "a", "b", "b", "d"], ["a", "a", "b", "b", "b"]]
        let counted = try #require(try play(held).consensus)
        #expect(counted.winner == "demo-3" && counted.agreement == Ratio(0.6))
        let adaptive = try #require(try play(held, isAdaptive: true).consensus)
        #expect(adaptive.winner == "demo-1" && adaptive.agreement == Ratio(0.4) && adaptive.reached)
        #expect(adaptive.dissenting.map(\.agent) == ["demo-3", "demo-4", "demo-5"])
    }

    @Test("a vote for somebody who changed sides is a vote for another option")
    func names() throws {
        // The first agent, for whom three voted, joins the others; those who stay vote for the next of them.
        let insight = try #require(try play([["a", "a", "a", "b", "b"], ["b", "a", "a", "b", "b"]]).insight)
        #expect(insight.sealedChoice == "demo-1")
        #expect(insight.sealedShare == Ratio(0.6))
        #expect(insight.changedDecision)
        #expect(
            insight.mindChanges == [
                .init(agent: "demo-1", from: "demo-1", to: "demo-1", round: 1, towardMajority: false)
            ])
        #expect(insight.survivingMinorities == ["demo-2"])
    }

    @Test("nobody has changed their mind when all reworded what they hold")
    func reworded() throws {
        let insight = try #require(try play([["a", "b", "b"], ["a", "b", "b"], ["a", "b", "b"]]).insight)
        #expect(insight.mindChanges.isEmpty)
        #expect(!insight.changedDecision)
        #expect(insight.herding == .zero)
        #expect(insight.effectiveVoters == Ratio(3))
        #expect(
            insight.sentence
                == "Before any criticism the panel chose demo-2; the debate ended with the same, and nobody changed their mind."
        )
    }

    @Test("a decision for somebody else's option is seen, however many words all of them share, and swap")
    func boilerplate() throws {
        let agents = (1...3).map { AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo") }
        let choices = ["MongoDB", "Postgres", "SQLite"]
        let reasons = [
            "Reasons: it is the cheaper way to learn whether the idea holds at all",
            "Reasons: several people here already know how to run it at night",
            "Reasons: what goes wrong stays in one place and is found quickly",
        ]
        var debate = try Rehearsal(DebateSpec(topic: "Which store?", agents: agents, rounds: 1, consensus: .any))
        try debate.run { call in
            guard let place = agents.firstIndex(of: call.agent) else { return nil }
            switch call.phase {
            case .ballot: return "CHOICE: demo-1\nCONTINUE: yes"
            case .vote: return "CHOICE: demo-2\nCONTINUE: yes"
            default:
                // The reasons go round: each revision has most words in common with what somebody else proposed.
                let reason = reasons[(place + (call.phase == .revise ? 2 : 0)) % 3]
                return "Position on \"Which store?\": choose \(choices[place]). \(reason). Main risk: nobody owns it."
            }
        }
        let insight = try #require(debate.outcome?.insight)
        #expect(insight.sealedChoice == "demo-1" && insight.changedDecision)
        #expect(insight.mindChanges.map(\.to) == ["demo-2", "demo-2", "demo-2"])
        #expect(insight.sentence.contains("ended with another choice, and 3 agents changed their minds"))
    }

    @Test("agents that come to agree are worth fewer independent voters")
    func drawnTogether() throws {
        let insight = try #require(try play([["a", "b", "c"], ["a", "b", "b"], ["b", "b", "b"]]).insight)
        #expect(insight.sealedChoice == nil)
        #expect(insight.herding == .one)
        #expect(insight.effectiveVoters == .one)
        #expect(insight.mindChanges.map(\.round) == [2, 1])
        #expect(
            insight.sentence
                == "Before any criticism no choice led, and 2 agents changed their minds; that they agree more than before is no evidence by itself."
        )
    }

    @Test("agents that agreed from the beginning count in full, and so do those that drift apart")
    func independent() throws {
        #expect(try play([["a", "a", "a"], ["a", "a", "a"]]).insight?.effectiveVoters == Ratio(3))
        let apart = try #require(try play([["a", "a", "a"], ["a", "b", "c"]]).insight)
        #expect(apart.herding == Ratio(-1))
        #expect(apart.effectiveVoters == Ratio(3))
    }

    @Test(
        "the adaptive mode counts options, not names",
        arguments: [(["a", "a", "a", "b", "c"], 10), (["a", "a", "b", "b", "c"], 25)])
    func adaptive(first: [String], calls: Int) throws {
        let outcome = try play([first, ["b", "b", "b", "b", "c"], ["b", "b", "b", "b", "b"]], isAdaptive: true)
        #expect(outcome.insight?.effort.calls == calls)
    }
}

@Suite("AdaptiveRule")
struct AdaptiveRuleTests {
    /// - Parameter heard: what the critics of voters had chosen in the vote before; of the last vote.
    private func share(_ votes: [[Int]], heard: [Int: Int] = [:], panel: Int = 5) -> Ratio? {
        AdaptiveRule(panel: panel).stopShare(after: moments(votes, heard: heard))
    }

    private func moments(_ votes: [[Int]], heard: [Int: Int]) -> [AdaptiveRule.Moment] {
        votes.enumerated().map { place, vote in
            AdaptiveRule.Moment(
                choices: PanelMap(vote.enumerated().map { ("\($0)", $1) }),
                heard: place == votes.count - 1 ? PanelMap(heard.map { ("\($0.key)", [$0.value]) }) : [:])
        }
    }

    @Test("stops where one option has three fifths of the ballots, and goes on before")
    func decisive() {
        #expect(share([[0, 0, 0, 1, 2]]) == Ratio(0.6))
        #expect(share([[0, 0, 1, 1, 2]]) == nil)
        // Of those asked, not of those who answered.
        #expect(share([[0, 0, 1]]) == nil)
    }

    @Test("a thought of one's own settles a tie, a copy of what the critic chose does not")
    func copies() {
        let votes = [[0, 0, 1, 1, 2], [0, 0, 0, 1, 2]]
        #expect(share(votes) == Ratio(0.6))
        #expect(share(votes, heard: [2: 0]) == nil)
        #expect(share(votes, heard: [2: 2]) == Ratio(0.6))
        let rule = AdaptiveRule(panel: 5)
        let standing = rule.standing(after: moments(votes, heard: [2: 0]))
        #expect(standing.pairs.map(\.1) == [22_000, 20_000, 10_000])
        #expect(rule.standing(after: moments(votes, heard: [:]), weights: ["2": Ratio(0.5)])[0] == 25_000)
    }

    @Test("goes on while several lead together, however large their shares")
    func tie() {
        let rule = AdaptiveRule(panel: 2, constants: .init(ballotShare: .zero, copied: .zero, lead: .zero))
        #expect(rule.stopShare(after: moments([[0, 1]], heard: [:])) == nil)
        #expect(rule.stopShare(after: moments([[0, 1], [1, 0]], heard: [:])) == nil)
    }

    @Test("stops when nobody moved")
    func still() {
        #expect(share([[0, 0, 1, 1, 2], [0, 0, 1, 1, 2]]) == Ratio(0.4))
        #expect(share([]) == nil)
    }
}

@Suite("OptionTracker")
struct OptionTrackerTests {
    private func words(_ range: Range<Int>) -> String { range.map { "word\($0)" }.joined(separator: " ") }

    @Test("an option goes on with who rewords it, and with who takes it over from someone who left it")
    func follows() {
        var tracker = OptionTracker()
        #expect(tracker.follow([("a", words(0..<10)), ("b", words(20..<30))]).map(\.option) == [0, 1])
        #expect(tracker.follow([("a", words(4..<14)), ("b", words(20..<29))]).map(\.option) == [0, 1])
        // They change places.
        #expect(tracker.follow([("a", words(20..<30)), ("b", words(4..<15))]).map(\.option) == [1, 0])
    }

    @Test(
        "who rewords an option keeps it, though the words are more like another's; only a repeated text changes hands")
    func authors() {
        var tracker = OptionTracker()
        #expect(tracker.follow([("a", words(0..<20)), ("b", words(10..<30))]).map(\.option) == [0, 1])
        // 12 of 28 words are still a's own text, and 18 of 22 are b's.
        #expect(tracker.follow([("a", words(8..<28)), ("b", words(2..<22))]).map(\.option) == [0, 1])
        #expect(tracker.follow([("a", words(2..<22)), ("b", words(60..<80))]).map(\.option) == [1, 2])
    }

    @Test("a text by somebody new is an option known before only by what the options did not all say")
    func strangers() {
        var tracker = OptionTracker()
        #expect(
            tracker.follow([("a", words(0..<30)), ("b", words(0..<20) + " " + words(30..<40))]).map(\.option) == [0, 1])
        let next = tracker.follow([
            ("a", words(0..<30)), ("b", words(50..<60)), ("c", words(0..<20) + " " + words(40..<50)),
        ])
        // b left its option, and c shares with it nothing but what all said.
        #expect(next.map(\.option) == [0, 2, 3])
        let later = tracker.follow([("a", words(70..<80)), ("d", words(0..<26) + " " + words(90..<93))])
        #expect(later.map(\.option) == [4, 0])
    }

    @Test("what resembles nothing said before is new, and an option that splits goes on with the nearer half")
    func new() {
        var tracker = OptionTracker()
        #expect(tracker.follow([("a", words(0..<10)), ("b", words(0..<10))]).map(\.option) == [0])
        let split = tracker.follow([("a", words(5..<15)), ("b", words(2..<12)), ("c", words(50..<60))])
        #expect(split.map(\.option) == [1, 0, 2])
        #expect(split.map(\.members) == [["a"], ["b"], ["c"]])
    }
}

import Domain
import Testing

@Suite("DebateMachine")
struct DebateMachineTests {
    @Test("three agents and three rounds make 39 calls and 59 events, in the order of the phases")
    func wholeDebate() throws {
        var debate = try Rehearsal(.sample())
        try debate.run()
        try debate.end()
        #expect(debate.calls.count == 39)
        #expect(Set(debate.calls).count == 39)
        #expect(debate.log.count == 59)
        #expect(
            debate.log.prefix(22).map(\.event.type) == [
                "debate_start", "round_start", "phase_change", "agent_message", "agent_message", "agent_message",
                "phase_change", "sealed_vote", "sealed_vote", "sealed_vote", "phase_change", "critique", "critique",
                "critique", "phase_change", "revision", "revision", "revision",
                "phase_change", "vote", "vote", "vote",
            ])
        #expect(debate.log.suffix(3).map(\.event.type) == ["consensus", "receipt_generated", "debate_end"])
        #expect(debate.machine.due.isEmpty)
    }

    @Test(
        "each proposal gets one critique a round, from another agent than in the round before",
        arguments: [2, 3, 5, 10])
    func critiquePairs(agents: Int) throws {
        var debate = try Rehearsal(.sample(agents: agents))
        try debate.run()
        let critiques = debate.log.compactMap { if case .critique(let critique) = $0.event { critique } else { nil } }
        for round in 1...3 {
            let pairs = critiques.filter { $0.round == round }
            #expect(Set(pairs.map(\.target)).count == agents)
            #expect(pairs.allSatisfy { $0.agent != $0.target })
        }
        if agents > 2 {
            let byRound = Dictionary(grouping: critiques, by: \.round).mapValues {
                $0.first { $0.agent == "demo-1" }?.target
            }
            #expect(byRound[1] != byRound[2])
        }
    }

    @Test("a revision sees its own proposal and the critique of it; a vote sees every position")
    func material() throws {
        var debate = try Rehearsal(.sample())
        var seen: [String: PlannedCall] = [:]
        try debate.run { call in
            seen[call.key.text] = call
            return Script.disagreeing(call)
        }
        let revise = try #require(seen["r1/revise/demo-2"])
        #expect(revise.material.own == Script.disagreeing(try #require(seen["r1/propose/demo-2"])))
        #expect(revise.material.others.map(\.agent) == ["demo-1"])
        let vote = try #require(seen["r1/vote/demo-1"])
        #expect(vote.material.others.map(\.agent) == ["demo-1", "demo-2", "demo-3"])
        #expect(vote.material.own == Script.disagreeing(revise.renamed("demo-1")))
        let restate = try #require(seen["r2/propose/demo-3"])
        #expect(restate.material.own == Script.disagreeing(revise.renamed("demo-3")))
        #expect(restate.material.others.count == 2)
        #expect(restate.material.others.allSatisfy { $0.content.hasSuffix("Voted for: demo-1. It is clear.") })
    }

    @Test("positions that stay the same end the debate after round 2")
    func convergence() throws {
        var debate = try Rehearsal(.sample(rounds: 5))
        try debate.run(reply: Script.settled)
        let outcome = try #require(debate.outcome)
        #expect(outcome.roundsUsed == 2)
        #expect(outcome.consensus?.convergence.state == .converged)
        #expect(outcome.consensus?.convergence.similarity == .one)
        #expect(outcome.consensus?.convergence.agents.map(\.name) == ["demo-1", "demo-2", "demo-3"])
        #expect(
            debate.log.map(\.event).contains(
                .earlyTerminated(.init(round: 2, totalRounds: 5, source: .convergence, measure: .one))))
    }

    @Test(
        "votes to stop end the debate from round 2 on, at 85 % of the votes",
        arguments: [(6, false), (7, false), (8, true)])
    func stopVotes(agents: Int, isUnanimous: Bool) throws {
        // Seven of eight are 87.5 %; five of six and six of seven stay below or just reach 85 %.
        var debate = try Rehearsal(.sample(agents: agents, rounds: 4))
        try debate.run { call in
            guard call.phase == .vote else { return Script.disagreeing(call) }
            return "CHOICE: demo-1\nCONTINUE: \(call.agent.name == "demo-1" ? "yes" : "no")"
        }
        let share = Ratio(agents - 1, of: agents)
        #expect(try #require(debate.outcome).roundsUsed == (share >= Ratio(0.85) ? 2 : 4))
    }

    @Test("a spent budget sends what there is to the vote and allows no further round")
    func budget() throws {
        var debate = try Rehearsal(.sample(budget: 30))
        try debate.run()
        #expect(
            debate.calls.map(\.text) == (1...3).map { "r1/propose/demo-\($0)" } + (1...3).map { "r1/vote/demo-\($0)" })
        #expect(
            debate.log.contains {
                if case .earlyTerminated(let stop) = $0.event { stop.source == .budget } else { false }
            })
        #expect(debate.outcome?.status == .completed)
    }

    @Test("an agent that fails is asked no more, and what was planned for the others keeps its keys")
    func failure() throws {
        var debate = try Rehearsal(.sample(agents: 4, rounds: 1))
        try debate.run { call in
            call.phase == .critique && call.agent.name == "demo-2" ? nil : Script.disagreeing(call)
        }
        #expect(debate.calls.map(\.text).contains("r1/critique/demo-1/demo-2"))
        // demo-3's only critic was demo-2, so it has nothing to revise.
        #expect(
            debate.calls.filter { $0.text.contains("revise") }.map(\.text) == ["r1/revise/demo-1", "r1/revise/demo-4"])
        #expect(debate.calls.filter { $0.text.contains("vote") }.count == 3)
        let outcome = try #require(debate.outcome)
        #expect(outcome.status == .completed)
        #expect(outcome.participants.map { $0.failure?.kind } == [nil, .server, nil, nil])
    }

    @Test("below the quorum the debate fails and has no receipt", arguments: [(2, 1), (3, 2), (4, 3), (10, 6)])
    func quorum(agents: Int, failing: Int) throws {
        var debate = try Rehearsal(.sample(agents: agents))
        try debate.settle()
        for call in debate.dueCalls.prefix(failing - 1) { try debate.fail(call) }
        #expect(debate.outcome == nil)
        try debate.fail(try #require(debate.dueCalls.first))
        let outcome = try #require(debate.outcome)
        #expect(outcome.status == .failed)
        #expect(!outcome.needsReceipt)
        #expect(outcome.reason?.contains("can go on") == true)
    }

    @Test("while paused nothing is due, but outcomes of calls in flight still count")
    func pause() throws {
        var debate = try Rehearsal(.sample())
        try debate.settle()
        let calls = debate.dueCalls
        try debate.append(.debatePaused(by: "ann"))
        #expect(debate.machine.due.isEmpty)
        for call in calls { try debate.answer(call, "A position of \(call.agent.name).") }
        #expect(debate.machine.due.isEmpty)
        try debate.append(.debateResumed(by: "ann"))
        #expect(debate.machine.due == [.record([.phaseChange(from: .propose, to: .ballot, round: 1)])])
    }

    @Test("a timeout ends the debate at once, also a paused one, with the last decision that was complete")
    func timeout() throws {
        var debate = try Rehearsal(.sample())
        try debate.run(limit: 17)
        try debate.append(.debatePaused(by: "ann"))
        try debate.append(.timeout(reason: "It took longer than 1800 seconds."))
        let outcome = try #require(debate.outcome)
        #expect(outcome.status == .timeout)
        #expect(outcome.consensus?.round == 1)
        #expect(outcome.result != nil)
        #expect(outcome.needsReceipt)
        try debate.end()
        #expect(debate.machine.hasEnded)
    }

    @Test("a timeout before any vote has no result")
    func timeoutEarly() throws {
        var debate = try Rehearsal(.sample())
        try debate.append(.timeout(reason: "Too long."))
        let outcome = try #require(debate.outcome)
        #expect(outcome.consensus == nil)
        #expect(outcome.debateEnd(at: outcome.startedAt).result == nil)
    }

    @Test("an abandoned call changes nothing but a count")
    func abandoned() throws {
        var debate = try Rehearsal(.sample())
        try debate.settle()
        let due = debate.machine.due
        try debate.append(
            .callAbandoned(CallReference(key: CallKey("r1/propose/demo-1"), attempt: 1), agent: "demo-1", round: 1))
        #expect(debate.machine.due == due)
        #expect(debate.machine.outcome(endedAs: .cancelled, reason: "Cancelled.")?.unknownCalls == 1)
    }

    @Test("a debate may be ended from outside at any time, and only once")
    func cancelled() throws {
        var debate = try Rehearsal(.sample())
        try debate.settle()
        let outcome = try #require(debate.machine.outcome(endedAs: .cancelled, reason: "Cancelled."))
        #expect(!outcome.needsReceipt)
        let end = DebateEvent.debateEnd(outcome.debateEnd(at: outcome.startedAt))
        try debate.append(end)
        #expect(debate.machine.due.isEmpty)
        #expect(throws: MachineError(.ended, "debate_end after debate_end")) { try debate.append(end) }
    }

    @Test("totals are those of the consumed answers")
    func totals() throws {
        var debate = try Rehearsal(.sample(rounds: 1))
        try debate.run()
        #expect(try #require(debate.outcome).usage == Usage(inputTokens: 45, outputTokens: 75, cost: MicroUSD(150)))
    }
}

extension PlannedCall {
    fileprivate func renamed(_ name: String) -> PlannedCall {
        PlannedCall(
            key: key, agent: AgentSpec(name: name, provider: .demo, model: "demo"), phase: phase, round: round,
            totalRounds: totalRounds, material: material)
    }
}

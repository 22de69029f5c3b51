import Domain
import Testing

@Suite("DebateMachine, any history")
struct MachinePropertyTests {
    /// Plays a whole debate with failures, pauses, remarks, abandoned calls, timeouts and answers in any order.
    private func play(seed: UInt64) throws -> (Rehearsal, [DebateMachine]) {
        var random = SeededRandom(seed: seed)
        let spec = try DebateSpec.sample(
            agents: Int.random(in: 2...6, using: &random), rounds: Int.random(in: 1...4, using: &random),
            consensus: Bool.random(using: &random) ? .majority : .unanimous,
            budget: Int.random(in: 0..<4, using: &random) == 0 ? Int64.random(in: 1...500, using: &random) : nil)
        let failing = Int.random(in: 0..<3, using: &random) == 0 ? 8 : 0
        var debate = try Rehearsal(spec)
        var states: [DebateMachine] = []
        var steps = 0
        while !debate.machine.hasEnded {
            steps += 1
            try #require(steps < 2_000, "seed \(seed) does not end")
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<3 where debate.outcome == nil: try debate.append(.debatePaused(by: "ann"))
            case 3..<8 where debate.outcome == nil:
                try debate.append(.userMessage(author: "ann", Remark("remark \(steps)")))
            case 8 where debate.outcome == nil && seed.isMultiple(of: 5):
                try debate.append(.timeout(reason: "Too long."))
            default: try step(&debate, failing: failing, random: &random)
            }
            states.append(debate.machine)
        }
        return (debate, states)
    }

    private func step(_ debate: inout Rehearsal, failing: Int, random: inout SeededRandom) throws {
        if debate.outcome != nil { return try debate.end() }
        if debate.machine.due.isEmpty {
            try #require(debate.machine.isPaused, "nothing is due although nothing holds it")
            return try debate.append(.debateResumed(by: "ann"))
        }
        if debate.dueCalls.isEmpty { return try debate.settle() }
        let call = try #require(debate.dueCalls.randomElement(using: &random))
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<failing: try debate.fail(call)
        case 98...:
            try debate.append(
                .callAbandoned(CallReference(key: call.key, attempt: 1), agent: call.agent.name, round: call.round))
        default:
            let vote =
                "CHOICE: demo-\(Int.random(in: 1...7, using: &random))\nCONTINUE: \(Bool.random(using: &random) ? "no" : "yes")"
            try debate.answer(call, call.phase == .vote ? vote : Script.disagreeing(call) ?? "")
        }
    }

    @Test(
        "every prefix replayed afresh has the same state and the same due actions; each key is consumed once",
        arguments: 0..<60)
    func replay(seed: Int) throws {
        let (debate, _) = try play(seed: UInt64(seed))
        #expect(Set(debate.calls).count == debate.calls.count)
        #expect(debate.log.filter { $0.event.type == "debate_end" }.count == 1)
        #expect(debate.log.last?.event.type == "debate_end")
        var incremental = DebateMachine()
        for count in 1...debate.log.count {
            let (event, at) = debate.log[count - 1]
            let returned = try incremental.apply(event, at: at)
            var fresh = DebateMachine()
            for (event, at) in debate.log.prefix(count) { try fresh.apply(event, at: at) }
            try #require(fresh == incremental)
            try #require(fresh.due == returned)
            try #require(Self.parts(of: fresh) == returned)
        }
        #expect(incremental == debate.machine)
    }

    /// What is due, as whoever asks in parts puts it together.
    private static func parts(of machine: DebateMachine) -> [DebateMachine.Action] {
        if machine.isFinishDue { return machine.due.filter { if case .finish = $0 { true } else { false } } }
        if let event = machine.dueRecord { return [.record([event])] }
        let calls = machine.dueCalls { _ in true }
        return calls.flatMap { call in machine.dueCalls { $0 == call.key } }.map { .call($0) }
    }

    @Test("outcomes of one phase lead to the same state in any order", arguments: 0..<40)
    func order(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var debate = try Rehearsal(.sample(agents: 5, rounds: 2))
        try debate.run(limit: Int.random(in: 0...35, using: &random))
        let calls = debate.dueCalls
        var events = calls.map { call in
            Int.random(in: 0..<4, using: &random) == 0
                ? ReplyParser.failureEvent(for: call, kind: .server, attempt: 1)
                : ReplyParser.event(for: call, answer: .text(Script.disagreeing(call) ?? ""), attempt: 1)
        }
        let at = Timestamp(milliseconds: 2_000_000_000_000)
        var ordered = debate.machine
        for event in events { try ordered.apply(event, at: at) }
        events.shuffle(using: &random)
        var shuffled = debate.machine
        for event in events { try shuffled.apply(event, at: at) }
        #expect(ordered == shuffled)
        #expect(ordered.due == shuffled.due)
    }

    @Test("records that are due can always be applied, and apply() returns what due says", arguments: 100..<130)
    func progress(seed: Int) throws {
        let (debate, states) = try play(seed: UInt64(seed))
        #expect(debate.machine.due.isEmpty)
        for state in states {
            guard case .record(let events) = state.due.first else { continue }
            var copy = state
            for event in events { try copy.apply(event, at: .init(milliseconds: 0)) }
            #expect(copy.now == state.now, "the clock never runs backwards")
        }
    }
}

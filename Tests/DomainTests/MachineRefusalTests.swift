import Domain
import Testing

@Suite("DebateMachine refuses what can not follow")
struct MachineRefusalTests {
    private func started() throws -> Rehearsal {
        var debate = try Rehearsal(.sample())
        try debate.settle()
        return debate
    }

    private func code(_ debate: Rehearsal, _ event: DebateEvent) -> MachineError.Code? {
        var copy = debate.machine
        do {
            try copy.apply(event, at: Timestamp(milliseconds: 0))
            return nil
        } catch {
            #expect(copy == debate.machine, "a refused event changes nothing")
            return error.code
        }
    }

    @Test("anything before debate_start, and a second one")
    func start() throws {
        var machine = DebateMachine()
        #expect(throws: MachineError.self) {
            try machine.apply(.roundStart(round: 1, totalRounds: 3), at: .init(milliseconds: 0))
        }
        let debate = try started()
        #expect(code(debate, debate.log[0].event) == .alreadyStarted)
    }

    @Test("an engine version it does not have")
    func version() throws {
        var machine = DebateMachine()
        let start = DebateStart(spec: try .sample(), engineVersion: EngineVersion(99))
        #expect { try machine.apply(.debateStart(start), at: .init(milliseconds: 0)) } throws: {
            ($0 as? MachineError)?.code == .unsupportedEngine
        }
    }

    @Test("outcomes of calls that are not due")
    func unknownCalls() throws {
        var debate = try started()
        let call = try #require(debate.dueCalls.first)
        let event = ReplyParser.event(for: call, answer: .text("A position."), attempt: 1)
        #expect(code(debate, event) == nil)
        let stranger = PlannedCall(
            key: CallKey(round: 1, phase: .propose, agent: "mallory"),
            agent: AgentSpec(name: "mallory", provider: .demo, model: "demo"),
            phase: .propose, round: 1, totalRounds: 3, material: call.material)
        #expect(code(debate, ReplyParser.event(for: stranger, answer: .text("x"), attempt: 1)) == .unknownCall)
        let later = PlannedCall(
            key: CallKey(round: 2, phase: .propose, agent: "demo-1"), agent: call.agent, phase: .propose, round: 2,
            totalRounds: 3,
            material: call.material)
        #expect(code(debate, ReplyParser.event(for: later, answer: .text("x"), attempt: 1)) == .unknownCall)
        let otherPhase = PlannedCall(
            key: call.key, agent: call.agent, phase: .vote, round: 1, totalRounds: 3, material: call.material)
        #expect(code(debate, ReplyParser.event(for: otherPhase, answer: .text("x"), attempt: 1)) == .unknownCall)
        #expect(code(debate, ReplyParser.failureEvent(for: otherPhase, kind: .server, attempt: 1)) == .unknownCall)
        try debate.append(event)
        #expect(code(debate, event) == .unknownCall, "each key is consumed once")
        #expect(code(debate, ReplyParser.failureEvent(for: call, kind: .server, attempt: 2)) == .unknownCall)
    }

    @Test("outcomes of an agent that has failed")
    func failedAgent() throws {
        var debate = try started()
        let call = try #require(debate.dueCalls.first)
        try debate.fail(call)
        #expect(code(debate, ReplyParser.event(for: call, answer: .text("x"), attempt: 2)) == .unknownCall)
    }

    @Test("steps that are not the next one")
    func outOfTurn() throws {
        var debate = try started()
        #expect(code(debate, .phaseChange(from: .propose, to: .critique, round: 1)) == .outOfTurn)
        #expect(code(debate, .roundStart(round: 2, totalRounds: 3)) == .outOfTurn)
        #expect(
            code(debate, .earlyTerminated(.init(round: 1, totalRounds: 3, source: .votes, measure: .one))) == .outOfTurn
        )
        for call in debate.dueCalls { try debate.answer(call, "A position.") }
        #expect(code(debate, .phaseChange(from: .propose, to: .revise, round: 1)) == .outOfTurn)
        #expect(code(debate, .phaseChange(from: .propose, to: .ballot, round: 1)) == nil)
        try debate.append(.debatePaused(by: "ann"))
        #expect(code(debate, .phaseChange(from: .propose, to: .ballot, round: 1)) == .outOfTurn)
    }

    @Test("a receipt before the decision, and anything but the end after it")
    func receipt() throws {
        var debate = try started()
        let receipt = DebateEvent.receiptGenerated(
            ReceiptSummary(
                id: ReceiptID(milliseconds: 1, random: Array(repeating: 0, count: 10)), verdict: .approved,
                confidence: .one, checksum: ""))
        #expect(code(debate, receipt) == .outOfTurn)
        try debate.run()
        let decision = try #require(debate.log.last?.event)
        #expect(decision.type == "consensus")
        #expect(code(debate, decision) == .outOfTurn)
        try debate.append(receipt)
        #expect(code(debate, .userMessage(author: "ann", Remark("late"))) == .ended)
        #expect(debate.outcome?.needsReceipt == false)
    }

    @Test("a forged decision: the consensus must be the one the votes make")
    func forged() throws {
        var debate = try Rehearsal(.sample(rounds: 1))
        try debate.run()
        guard case .consensus(let real) = try #require(debate.log.last?.event) else {
            return #expect(Bool(false), "no consensus")
        }
        var machine = DebateMachine()
        for (event, at) in debate.log.dropLast() { try machine.apply(event, at: at) }
        let forged = ConsensusResult(
            round: real.round, mode: real.mode, threshold: real.threshold, reached: true, winner: "demo-3",
            finalAnswer: real.finalAnswer,
            agreement: real.agreement, confidence: real.confidence, supporting: real.supporting,
            dissenting: real.dissenting,
            convergence: real.convergence)
        #expect(throws: MachineError.self) { try machine.apply(.consensus(forged), at: .init(milliseconds: 0)) }
    }
}

import Domain
import Testing

@Suite("Remarks and constraints")
struct RemarkTests {
    /// What prompts quote now, of the first call that is due.
    private func quoted(_ debate: Rehearsal) throws -> (remarks: [String], constraints: [String]) {
        let material = try #require(debate.dueCalls.first).material
        return (material.remarks, material.constraints)
    }

    private func playRound(_ number: Int, of debate: inout Rehearsal) throws {
        while debate.machine.round <= number, let call = debate.dueCalls.first {
            #expect(call.round == number)
            try debate.answer(call, try #require(Script.disagreeing(call)))
            try debate.settle()
        }
    }

    @Test("what is said in a round is quoted from the next on, in all of its prompts", arguments: Remark.Kind.allCases)
    func nextRound(kind: Remark.Kind) throws {
        var debate = try Rehearsal(.sample())
        try debate.settle()
        try debate.answer(debate.dueCalls[0], "A first position.")
        try debate.append(.userMessage(author: "ann", Remark("Think of backups.", kind: kind)))
        while debate.machine.round == 1, let call = debate.dueCalls.first {
            #expect(call.material.remarks.isEmpty && call.material.constraints.isEmpty, "\(call.key)")
            try debate.answer(call, try #require(Script.disagreeing(call)))
            try debate.settle()
        }
        #expect(debate.machine.round == 2)
        try debate.run { call in
            let quotes = kind == .message ? call.material.remarks : call.material.constraints
            #expect(quotes == ["Think of backups."], "\(call.key)")
            return Script.disagreeing(call)
        }
        #expect(debate.outcome?.status == .completed)
    }

    @Test("what is said before the first round is quoted in it")
    func beforeTheStart() throws {
        var debate = try Rehearsal(.sample())
        try debate.append(.userMessage(author: "ann", Remark("Think of backups.")))
        try debate.settle()
        #expect(try quoted(debate).remarks == ["Think of backups."])
    }

    @Test("a remark for a later round waits for it; one for a round that is past takes the next")
    func namedRound() throws {
        var debate = try Rehearsal(.sample())
        try debate.settle()
        try debate.append(.userMessage(author: "ann", Remark("late", firstRound: 3)))
        try debate.append(.userMessage(author: "ann", Remark("past", kind: .constraint, firstRound: 1)))
        try playRound(1, of: &debate)
        #expect(try quoted(debate) == ([], ["past"]))
        try playRound(2, of: &debate)
        #expect(try quoted(debate) == (["late"], ["past"]))
    }

    @Test("the newest twenty of a kind are quoted; remarks never push a constraint out")
    func bounded() throws {
        var debate = try Rehearsal(.sample())
        try debate.append(.userMessage(author: "ann", Remark("cheap", kind: .constraint)))
        for number in 1...21 { try debate.append(.userMessage(author: "ann", Remark("remark \(number)"))) }
        try debate.settle()
        let (remarks, constraints) = try quoted(debate)
        #expect(remarks.count == 20)
        #expect(remarks.first == "remark 2" && remarks.last == "remark 21")
        #expect(constraints == ["cheap"])
    }

    @Test("rounds that agree to stop go on once more for a remark that waits; a budget that is spent does not")
    func holdsOffAnEarlyStop() throws {
        var plain = try Rehearsal(.sample(rounds: 5))
        try plain.run(reply: Script.settled)
        #expect(plain.machine.round == 2)

        var asked = try Rehearsal(.sample(rounds: 5))
        try asked.settle()
        try playRound(1, of: &asked)
        try asked.append(.userMessage(author: "ann", Remark("And Mongo?")))
        try asked.run(reply: Script.settled)
        #expect(asked.outcome?.roundsUsed ?? 0 > 2)
        #expect(asked.log.contains { $0.event.type == "debate_early_terminated" })

        var poor = try Rehearsal(.sample(rounds: 5, budget: 100))
        try poor.settle()
        try poor.append(.userMessage(author: "ann", Remark("And Mongo?")))
        try poor.run()
        #expect(poor.machine.round == 1)
    }

    @Test("the first engine quoted a remark at once, and its logs still do")
    func firstEngine() throws {
        var debate = try Rehearsal(.sample(), engine: EngineVersion(1))
        try debate.settle()
        try debate.append(.userMessage(author: "ann", Remark("Think of backups.")))
        #expect(try quoted(debate).remarks == ["Think of backups."])
    }
}

import Domain
import Testing

/// Earlier conclusions in a debate: who is shown them, and who cites them.
@Suite("Earlier conclusions")
struct KnowledgeTests {
    static let now = Timestamp(milliseconds: 1_800_000_000_000)

    static func conclusion(_ number: Int, _ text: String = "Use Postgres.") -> RecalledConclusion {
        let random = [UInt8](repeating: UInt8(number), count: 10)
        return RecalledConclusion(
            number: number, item: KnowledgeID(milliseconds: 1, random: random),
            source: DebateID(milliseconds: 1, random: random), question: "Which database?", conclusion: text,
            confidence: Ratio(0.9), concludedAt: Timestamp(milliseconds: now.milliseconds - 3 * 86_400_000 - 1),
            now: now)
    }

    @Test(
        "a citation is a label in square brackets, alone or in a list, of one that was shown",
        arguments: [
            ("as [K1] says", ["K1"]), ("[K1][K2]", ["K1", "K2"]), ("[k2, K1; K9]", ["K1", "K2"]), ("K1 says", []),
            ("[K3]", []), ("[K1", []), ("[[K1]]", ["K1"]), ("[K 1]", []), ("[see K2]", ["K2"]),
            ("[\(String(repeating: " ", count: 40))K1]", []), ("", []), ("]]][K1]", ["K1"]),
        ] as [(String, Set<String>)])
    func citations(_ text: String, _ labels: Set<String>) {
        #expect(CitationReader.labels(in: text, known: ["K1", "K2"]) == labels)
    }

    @Test("what is long is cut, by characters and never through one; the age is in whole days")
    func bounds() {
        let long = Self.conclusion(1, String(repeating: "é", count: RecalledConclusion.conclusionCharacters + 1))
        #expect(long.isTruncated && long.conclusion.count == RecalledConclusion.conclusionCharacters + 1)
        #expect(long.conclusion.hasSuffix("é…") && long.ageDays == 3 && long.label == "K1")
        let exact = String(repeating: "é", count: RecalledConclusion.conclusionCharacters)
        #expect(Self.conclusion(1, exact).conclusion == exact && !Self.conclusion(1, exact).isTruncated)
    }

    @Test("three at most, each once, before the first round, and never again")
    func refused() throws {
        var play = try Rehearsal(.sample())
        for number in 1...3 { try play.append(.knowledgeRecalled(Self.conclusion(number))) }
        #expect(throws: MachineError.self) { try play.append(.knowledgeRecalled(Self.conclusion(4))) }
        var twice = try Rehearsal(.sample())
        try twice.append(.knowledgeRecalled(Self.conclusion(1)))
        #expect(throws: MachineError.self) { try twice.append(.knowledgeRecalled(Self.conclusion(1))) }
        var late = try Rehearsal(.sample())
        try late.settle()
        #expect(throws: MachineError.self) { try late.append(.knowledgeRecalled(Self.conclusion(1))) }
    }

    @Test("who argues is shown them and who votes is not; the outcome names who cited which, in the panel's order")
    func cited() throws {
        var play = try Rehearsal(.sample())
        for number in 1...2 { try play.append(.knowledgeRecalled(Self.conclusion(number))) }
        try play.run { call in
            #expect(call.material.knowledge.count == (call.phase == .vote || call.phase == .ballot ? 0 : 2))
            let text = Script.disagreeing(call) ?? ""
            return call.phase == .propose && call.agent.name != "demo-2" ? text + " [K2] and [K7]" : text
        }
        let uses = try #require(play.outcome).knowledge
        #expect(uses.map(\.conclusion.label) == ["K1", "K2"] && uses[0].citedBy.isEmpty)
        #expect(uses[1].citedBy.count == 2 && uses[1].citedBy == uses[1].citedBy.sorted())
    }
}

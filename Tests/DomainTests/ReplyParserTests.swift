import Testing

@testable import Domain

@Suite("ReplyParser")
struct ReplyParserTests {
    private let candidates = ["demo-1", "claude", "demo-10"]

    @Test(
        "finds the choice however it is dressed",
        arguments: [
            ("CHOICE: demo-1", "demo-1"), ("choice: CLAUDE", "claude"), ("**Choice:** `demo-10`", "demo-10"),
            ("- **CHOICE**: Agent demo-1.", "demo-1"), ("### CHOICE: Proposal 2", "claude"),
            ("1. CHOICE = C", "demo-10"),
            ("Vote: \"claude\" (clearest)", "claude"), ("CHOICE：claude", "claude"), ("CHOICE: #3", "demo-10"),
            ("Let me think.\n\nCHOICE: demo-1\nREASONING: claude is wrong", "demo-1"),
            ("CHOICE: <agent>\nCHOICE: claude", "claude"),
        ])
    func choices(text: String, expected: String) {
        #expect(ReplyParser.ballot(text, candidates: candidates).choice == expected)
    }

    @Test(
        "a vote that names nobody, or two, is an abstention",
        arguments: [
            "", "I like claude.", "CHOICE: nobody", "CHOICE: demo-1 or claude", "CHOICE: demo-1\nCHOICE: claude",
            "CHOICE: 4",
            "CHOICE: 0", "CHOICE:", "CHOICE: demo-100", "CHOICE: the best of all", "MYCHOICE: claude",
        ])
    func abstentions(text: String) {
        #expect(ReplyParser.ballot(text, candidates: candidates).choice == nil)
        #expect(ReplyParser.ballot(text, candidates: []).choice == nil)
    }

    @Test(
        "reads shares as models write them",
        arguments: [
            ("0.85", 0.85), ("85%", 0.85), ("85 %", 0.85), ("8/10", 0.8), ("8 / 10", 0.8), ("0,5", 0.5), ("1", 1),
            ("0", 0),
            ("90", 0.9), ("**0.7**", 0.7), ("high", 0.5), ("-1", 0.5), ("1000", 0.5), ("9/0", 0.5), ("11/10", 0.5),
            ("", 0.5),
            ("1e999", 1), ("123456789123", 0.5),
        ])
    func confidence(text: String, expected: Double) {
        let ballot = ReplyParser.ballot("CHOICE: claude\nCONFIDENCE: \(text)", candidates: candidates)
        #expect(ballot.confidence == Ratio(expected))
    }

    @Test(
        "stops only when told to",
        arguments: [
            ("no", false), ("**No**", false), ("N", false), ("false", false), ("yes", true), ("perhaps", true),
            ("", true),
        ])
    func stop(text: String, expected: Bool) {
        #expect(ReplyParser.ballot("CONTINUE: \(text)", candidates: candidates).continueDebate == expected)
        #expect(ReplyParser.ballot("nothing", candidates: candidates).continueDebate)
    }

    @Test(
        "keeps the words of reasoning as they were written",
        arguments: [
            ("REASONING: [demo] claude is clearer", "[demo] claude is clearer"),
            ("**Reasoning:** \"small\" wins", "\"small\" wins"),
            ("REASONING: - first, cost", "- first, cost"),
        ])
    func reasoningText(text: String, expected: String) {
        #expect(ReplyParser.ballot(text, candidates: candidates).reasoning == expected)
    }

    @Test("keeps reasoning over several lines, at most 4 KiB of it, cut between characters")
    func reasoning() {
        let ballot = ReplyParser.ballot("REASONING: first\nsecond\n\nCHOICE: claude", candidates: candidates)
        #expect(ballot.reasoning == "first\nsecond")
        let long = ReplyParser.ballot("REASONING: " + String(repeating: "é", count: 5_000), candidates: candidates)
            .reasoning
        #expect(long.utf8.count == 4096)
        let odd = ReplyParser.ballot("REASONING: x" + String(repeating: "é", count: 5_000), candidates: candidates)
            .reasoning
        #expect(odd.utf8.count == 4095)
    }

    @Test(
        "reads the severity of a critique",
        arguments: [
            ("Bad.\nSEVERITY: 0.7", 0.7), ("**Severity:** major", 0.75), ("severity: 7", 0.7), ("Severity: 8/10", 0.8),
            ("SEVERITY: minor issue", 0.25), ("no line", 0.5), ("SEVERITY: unclear\nSEVERITY: critical", 1),
        ])
    func severity(text: String, expected: Double) {
        #expect(ReplyParser.severity(text) == Ratio(expected))
    }

    @Test("every kind of failure has its own sentence")
    func sentences() {
        let sentences = CallFailure.Kind.allCases.map(\.sentence)
        #expect(Set(sentences).count == sentences.count)
        #expect(sentences.allSatisfy { $0.hasSuffix(".") })
    }

    @Test("the events of an answer and of a failure name the call and its attempt")
    func events() {
        let call = PlannedCall(
            key: CallKey("r1/critique/demo-1/claude"), agent: AgentSpec(name: "demo-1", provider: .demo, model: "demo"),
            phase: .critique, round: 1, totalRounds: 3,
            material: .init(
                topic: "t", context: nil, remarks: [], own: nil, others: [.init(agent: "claude", content: "x")]))
        let answered = ReplyParser.event(for: call, answer: .text("Weak.\nSEVERITY: 1"), attempt: 3)
        #expect(answered.consumedCall == CallReference(key: call.key, attempt: 3))
        guard case .critique(let critique) = answered else { return #expect(Bool(false), "not a critique") }
        #expect(critique.target == "claude")
        #expect(critique.severity == .one)
        let failed = ReplyParser.failureEvent(for: call, kind: .quota, attempt: 2)
        #expect(failed.consumedCall == CallReference(key: call.key, attempt: 2))
        #expect(failed.agent == "demo-1")
    }

    /// By characters alone, as the rule reads.
    private func fieldsByCharacters(_ text: String, names: Set<String>) -> [String] {
        func isDecoration(_ character: Character) -> Bool {
            character.isWhitespace || "*_`#>-\"'“”|[]<".contains(character)
        }
        return text.split(whereSeparator: \.isNewline).compactMap { line in
            let named = line.drop { isDecoration($0) || $0.isNumber || $0 == "." || $0 == ")" }
            let word = named.prefix { $0.isLetter }
            let mark = named[word.endIndex...].drop { isDecoration($0) }.first
            let isField = names.contains(word.lowercased()) && (mark == ":" || mark == "=" || mark == "：")
            return isField ? word.lowercased() : nil
        }
    }

    @Test("fields found by bytes are those found by characters, whatever stands around them", arguments: 0..<400)
    func bytesAgree(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let pieces = [
            "choice", "Choice", "CHOICE", "vote", "no", ":", "=", "：", " ", "\t", "\n", "\r\n", "\u{0B}", "\u{2028}",
            "*", "_",
            "`", "#", ">", "-", "\"", "'", "“", "”", "|", "[", "]", "<", "1", "٣", ".", ")", "\u{301}", "é", "ſ", "@",
            "{", "\u{1C}",
            "\u{85}", "\u{A0}", "\u{200D}",
        ]
        let names: Set<String> = ["choice", "vote"]
        for _ in 0..<50 {
            let text = (0..<12).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            #expect(
                ReplyFields(text, names: names).fields.map(\.name) == fieldsByCharacters(text, names: names),
                "\(text.debugDescription)")
        }
    }
}

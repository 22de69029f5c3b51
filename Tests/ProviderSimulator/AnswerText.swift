import Domain

/// What the simulated model says: it follows the form that the prompt asks for.
enum AnswerText {
    private static let words = [
        "the", "cost", "of", "a", "wrong", "choice", "is", "small", "when", "it", "can", "be", "undone", "so", "start",
        "with", "one", "service", "measure", "load", "name", "an", "owner", "and", "review", "after", "two", "weeks",
        "because", "growth", "rarely", "follows", "plans", "while", "operations", "always", "follow", "systems",
    ]

    static func answer(to call: IncomingCall, words count: Int) -> String {
        // What is asked for stands first; a quoted critique has a SEVERITY line too.
        if ["TASK: PROPOSE", "TASK: REVISE"].contains(where: call.prompt.contains) {
            return position(call, words: count)
        }
        if call.prompt.contains("CHOICE:") { return vote(call) }
        if call.prompt.contains("SEVERITY:") { return critique(call) }
        return position(call, words: count)
    }

    private static func position(_ call: IncomingCall, words count: Int) -> String {
        var random = SeededRandom(call.model + call.system + call.prompt)
        let body = (0..<count).map { _ in words[Int(random.next() % UInt64(words.count))] }.joined(separator: " ")
        return "[simulated \(call.model)] My position: \(body)."
    }

    private static func critique(_ call: IncomingCall) -> String {
        var random = SeededRandom(call.model + call.system + call.prompt)
        return """
            [simulated \(call.model)]
            ISSUES:
            1. The claim about \(words[Int(random.next() % UInt64(words.count))]) has no figure behind it.
            SUGGESTIONS:
            - Name the limit at which the decision is reviewed.
            SEVERITY: 0.\(2 + random.next() % 7)
            """
    }

    /// All voters of a round prefer the same candidate, and one in five the next.
    private static func vote(_ call: IncomingCall) -> String {
        let candidates = candidates(in: call.prompt)
        let ranked = candidates.sorted { (FNV1a.hash($0), $0) < (FNV1a.hash($1), $1) }
        var random = SeededRandom(call.model + call.system + call.prompt)
        let dissents = ranked.count > 1 && random.next() % 5 == 0
        return """
            CHOICE: \(ranked.isEmpty ? "none" : ranked[dissents ? 1 : 0])
            CONFIDENCE: 0.\(60 + random.next() % 36)
            CONTINUE: yes
            REASONING: [simulated \(call.model)] It names its risk and a first step.
            """
    }

    /// The lines `- name` after `Candidates:`.
    private static func candidates(in prompt: String) -> [String] {
        let lines = prompt.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.lastIndex(where: { $0.hasSuffix("Candidates:") }) else { return [] }
        return lines[(start + 1)...].prefix { $0.hasPrefix("- ") }.map { String($0.dropFirst(2)) }
    }

    /// The answer as a model would stream it: a word with the space before it.
    static func tokens(of text: String) -> [String] {
        var tokens: [String] = []
        var current = ""
        for character in text {
            if character.isWhitespace && !current.isEmpty && current.contains(where: { !$0.isWhitespace }) {
                tokens.append(current)
                current = ""
            }
            current.append(character)
        }
        return current.isEmpty ? tokens : tokens + [current]
    }
}

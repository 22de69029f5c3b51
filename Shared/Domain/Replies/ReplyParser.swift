/// Reads what models answer. All of it is untrusted text; whatever it says, the result is a valid event.
package enum ReplyParser {
    /// Bytes of reasoning that a vote keeps; the consensus event repeats those of all dissenters.
    package static let maxReasoningBytes = 4 * 1024
    /// What a vote or critique counts when it names no number, or none that makes sense.
    static let defaultConfidence = Ratio(0.5)
    static let defaultSeverity = Ratio(0.5)

    /// What a vote's text says.
    struct Ballot: Hashable {
        let choice: String?
        let standing: Vote.Standing
        let confidence: Ratio
        let continueDebate: Bool
        let reasoning: String
    }

    /// Reads the lines `CHOICE`, `CONFIDENCE`, `CONTINUE` and `REASONING`.
    ///
    /// A choice that names no candidate, or two different ones, is malformed; one that says so is an abstention.
    /// - Parameter candidates: names in the order in which the prompt listed them, for choices such as "Proposal 2".
    static func ballot(_ text: String, candidates: [String]) -> Ballot {
        let fields = ReplyFields(
            text, names: ["choice", "vote", "confidence", "continue", "reasoning", "reason", "rationale"])
        let named = fields.values("choice", "vote")
        let choices = Set(named.compactMap { choice($0, candidates: candidates) })
        let chosen = choices.count == 1 ? choices.first : nil
        let confidence = fields.values("confidence").first.flatMap { ReplyNumber.share($0, scale: 100) }
        let wish = fields.values("continue").first.map { $0.prefix { $0.isLetter }.lowercased() }
        let reasoning = fields.sentences("reasoning", "reason", "rationale").joined(separator: "\n")
        return Ballot(
            choice: chosen,
            standing: chosen != nil
                ? .valid : choices.isEmpty && named.contains(where: isAbstention) ? .abstained : .malformed,
            confidence: confidence ?? defaultConfidence,
            continueDebate: !["no", "n", "false", "stop"].contains(wish),
            reasoning: reasoning.cut(toBytes: maxReasoningBytes))
    }

    private static func isAbstention(_ text: String) -> Bool {
        let word = text.drop { !$0.isLetter }.prefix { $0.isLetter }.lowercased()
        return ["abstain", "abstention", "abstaining", "none", "nobody", "neither"].contains(word)
    }

    /// What a judge's text says.
    struct Judgement: Hashable {
        let decision: String
        let confidence: Ratio
        let dissent: String?
    }

    /// Reads the lines `DECISION`, `CONFIDENCE` and `DISSENT`; a text without the first is the decision itself.
    static func judgement(_ text: String) -> Judgement {
        let fields = ReplyFields(text, names: ["decision", "confidence", "dissent"])
        let decision = fields.sentences("decision").joined(separator: "\n")
        let dissent = fields.sentences("dissent").joined(separator: "\n").cut(toBytes: maxReasoningBytes)
        let isNone = ["none", "none.", "no", "-", "n/a"].contains(dissent.lowercased())
        return Judgement(
            decision: decision.isEmpty ? text : decision,
            confidence: fields.values("confidence").first.flatMap { ReplyNumber.share($0, scale: 100) }
                ?? defaultConfidence,
            dissent: dissent.isEmpty || isNone ? nil : dissent)
    }

    /// The candidate that a choice names: by name, by a name inside the text, or by number or letter of its place.
    static func choice(_ text: String, candidates: [String]) -> String? {
        let line = text.prefix { !$0.isNewline }.trimmed { ReplyFields.isDecoration($0) || ".,;:!()".contains($0) }
            .lowercased()
        if let exact = candidates.first(where: { $0.lowercased() == line }) { return exact }
        let words = line.split { !isNamePart($0) }
        let named = candidates.filter { candidate in
            let parts = candidate.lowercased().split { !isNamePart($0) }
            return !parts.isEmpty && words.indices.contains { words[$0...].starts(with: parts) }
        }
        if named.count == 1 { return named.first }
        guard named.isEmpty, let label = words.last, words.count <= 2 else { return nil }
        return place(String(label), count: candidates.count).map { candidates[$0] }
    }

    private static func isNamePart(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "-" || character == "_"
    }

    /// `2` or `b` → 1.
    private static func place(_ label: String, count: Int) -> Int? {
        if let number = Int(label) { return number >= 1 && number <= count ? number - 1 : nil }
        guard label.utf8.count == 1, let letter = label.utf8.first, (0x61...0x7a).contains(letter) else { return nil }
        let place = Int(letter) - 0x61
        return place < count ? place : nil
    }

    /// Reads the line `SEVERITY`: a number, or a word such as "major".
    static func severity(_ text: String) -> Ratio {
        for value in ReplyFields(text, names: ["severity"]).values("severity") {
            if let number = ReplyNumber.share(value, scale: 10) { return number }
            switch value.prefix(while: { $0.isLetter }).lowercased() {
            case "none", "trivial": return .zero
            case "minor", "low": return Ratio(0.25)
            case "moderate", "medium": return Ratio(0.5)
            case "major", "high": return Ratio(0.75)
            case "critical", "fatal", "severe": return .one
            default: continue
            }
        }
        return defaultSeverity
    }
}

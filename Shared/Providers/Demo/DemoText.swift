import Domain

/// What demonstration agents say: fixed sentence parts around the topic, chosen by the debate and the call.
///
/// The text is structured as a model's would be, so that everything behind it is exercised: criticism with a severity,
/// and votes that mostly agree.
enum DemoText {
    static let label = "[demo]"
    /// Characters of the topic that an answer repeats.
    static let maxTopicCharacters = 120
    /// One voter in so many disagrees, and one in so many would stop.
    static let dissentEvery: UInt64 = 5
    static let stopEvery: UInt64 = 9

    static func answer(to call: PlannedCall, in debate: DebateID) -> String {
        var random = SeededRandom("\(debate)/\(call.key)")
        switch call.phase {
        case .propose, .revise: return position(call, debate, &random)
        case .critique: return critique(call, &random)
        case .ballot, .vote: return vote(call, debate, &random)
        case .judge: return judgement(call, debate, &random)
        }
    }

    // MARK: Positions

    private static func position(_ call: PlannedCall, _ debate: DebateID, _ random: inout SeededRandom) -> String {
        let stance = stance(of: call.agent.name, on: call.material.topic, in: debate)
        let reasons = DemoPhrases.reasons.shuffled(using: &random).prefix(2)
        var lines = [
            "\(label) Position of \(call.agent.name) on \"\(short(call.material.topic))\": \(stance)",
            "",
            "Reasons:",
        ]
        lines += reasons.enumerated().map { "\($0.offset + 1). \($0.element)" }
        if call.phase == .revise, !call.material.others.isEmpty {
            let critics = call.material.others.map(\.agent).joined(separator: ", ")
            lines.append("Changed after the criticism of \(critics): \(pick(DemoPhrases.concessions, &random))")
        }
        if let remark = call.material.remarks.last {
            lines.append("Noted from the people who asked: \"\(short(remark))\".")
        }
        lines.append("Main risk: \(pick(DemoPhrases.risks, &random))")
        lines.append("First step: \(pick(DemoPhrases.steps, &random))")
        return lines.joined(separator: "\n")
    }

    /// An agent keeps its stance through a debate.
    private static func stance(of agent: String, on topic: String, in debate: DebateID) -> String {
        var random = SeededRandom("\(debate)/stance/\(agent)")
        guard let (first, second) = alternatives(in: topic) else { return pick(DemoPhrases.stances, &random) }
        // Two of three prefer the same, so that there is something to agree on.
        let favoursFirst = FNV1a.hash("\(debate)/favour") & 1 == 0
        let agrees = random.next() % 3 != 0
        let chosen = favoursFirst == agrees ? first : second
        return "choose \(chosen). \(pick(DemoPhrases.qualifiers, &random))"
    }

    /// The two sides of "… A or B?": the word before and the words after.
    static func alternatives(in topic: String) -> (String, String)? {
        let words = topic.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let middle = words.firstIndex(where: { $0.lowercased() == "or" }), middle > 0, middle + 1 < words.count
        else { return nil }
        let trim: (String) -> String = {
            String(
                $0.drop { !$0.isLetter && !$0.isNumber }.prefix { $0.isLetter || $0.isNumber || "-+#.".contains($0) })
        }
        let clean: (String) -> String = { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
        let (first, second) = (clean(trim(words[middle - 1])), clean(trim(words[middle + 1])))
        guard !first.isEmpty, !second.isEmpty, first.lowercased() != second.lowercased(),
            first.count + second.count < 60
        else { return nil }
        return (first, second)
    }

    // MARK: Critiques

    private static func critique(_ call: PlannedCall, _ random: inout SeededRandom) -> String {
        let target = call.material.others.first?.agent ?? "the position"
        let issues = DemoPhrases.issues.shuffled(using: &random).prefix(2)
        let severity = ["0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]
        var lines = ["\(label) Critique of \(target) by \(call.agent.name)", "ISSUES:"]
        lines += issues.enumerated().map { "\($0.offset + 1). \($0.element)" }
        lines += [
            "SUGGESTIONS:", "- \(pick(DemoPhrases.suggestions, &random))", "SEVERITY: \(pick(severity, &random))",
        ]
        return lines.joined(separator: "\n")
    }

    // MARK: Votes

    private static func vote(_ call: PlannedCall, _ debate: DebateID, _ random: inout SeededRandom) -> String {
        // All voters of a round rank the candidates alike; some vote for the second.
        let seed = "\(debate)/r\(call.round)/"
        let ranked = call.material.others.map(\.agent).sorted {
            (FNV1a.hash(seed + $0), $0) < (FNV1a.hash(seed + $1), $1)
        }
        guard let favourite = ranked.first else {
            return "CHOICE: none\nCONFIDENCE: 0\nCONTINUE: no\nREASONING: \(label) There is no candidate."
        }
        let dissents = ranked.count > 1 && random.next() % dissentEvery == 0
        let choice = dissents ? ranked[1] : favourite
        let confidence = 60 + random.next() % 36
        let goesOn = random.next() % stopEvery != 0
        return """
            CHOICE: \(choice)
            CONFIDENCE: 0.\(confidence)
            CONTINUE: \(goesOn ? "yes" : "no")
            REASONING: \(label) \(choice) \(pick(DemoPhrases.praise, &random))
            """
    }

    private static func judgement(_ call: PlannedCall, _ debate: DebateID, _ random: inout SeededRandom) -> String {
        """
        DECISION: \(label) On "\(short(call.material.topic))": \(stance(of: call.agent.name, on: call.material.topic, in: debate))
        What was said against it is answered by a first step that can be taken back.
        First step: \(pick(DemoPhrases.steps, &random))
        CONFIDENCE: 0.\(60 + random.next() % 36)
        DISSENT: \(pick(DemoPhrases.risks, &random))
        """
    }

    // MARK: Parts

    private static func pick(_ choices: [String], _ random: inout SeededRandom) -> String {
        choices[Int(random.next() % UInt64(choices.count))]
    }

    private static func short(_ text: String) -> String {
        let line = text.map { $0.isNewline || $0 == "\"" ? " " : $0 }
        return line.count <= maxTopicCharacters ? String(line) : String(line.prefix(maxTopicCharacters)) + "…"
    }
}

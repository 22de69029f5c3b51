package import Domain

/// A debate as plain text. What was said is indented, so that it can not be taken for our headings.
package enum TextExport {
    package static func text(_ body: DebateBody, decision: ConsensusResult?) -> String {
        var out =
            oneLine(body.shownTitle) + "\n" + String(repeating: "=", count: min(80, body.shownTitle.count)) + "\n\n"
        if body.shownTitle != body.topic { out += "Question\n" + indented(body.topic) + "\n" }
        for (name, value) in ExportFacts.facts(of: body) { out += "\(name): \(oneLine(value))\n" }
        if let decision {
            out += "\nDECISION\n\n\(ExportFacts.sentence(of: decision))\n\n" + indented(decision.finalAnswer)
            for dissent in decision.dissenting {
                out += "\nDissent of \(oneLine(dissent.agent)):\n" + indented(dissent.reasoning)
            }
        }
        out += "\nTRANSCRIPT\n"
        for message in body.messages ?? [] {
            out += "\n[round \(message.round), \(message.phase)] \(oneLine(message.agent ?? message.role)):\n"
            out += indented(message.content ?? "(erased)")
        }
        return out
    }

    private static func indented(_ text: String) -> String {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { "    \($0)\n" }.joined()
    }

    private static func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }
}

/// What every readable export says at its top.
enum ExportFacts {
    static func facts(of body: DebateBody) -> [(String, String)] {
        var facts = [
            ("Debate", body.id.text), ("Status", body.status.clientText),
            ("Agents", body.agents.joined(separator: ", ")), ("Rounds", "\(body.roundsUsed) of \(body.rounds)"),
            ("Created", body.createdAt.iso8601),
        ]
        if !body.tags.isEmpty { facts.append(("Tags", body.tags.joined(separator: ", "))) }
        if let reason = body.reason { facts.append(("Reason", reason)) }
        if body.isDemo { facts.append(("Note", "Answered by built-in demonstration agents, not by a model")) }
        return facts
    }

    static func sentence(of decision: ConsensusResult) -> String {
        """
        Consensus \(decision.reached ? "reached" : "not reached"), agreement \(decision.agreement.value), \
        confidence \(decision.confidence.value).
        """
    }
}

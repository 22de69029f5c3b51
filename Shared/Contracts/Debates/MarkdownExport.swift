package import Domain

/// A debate as a Markdown document. Texts of models and people are quoted, so that they can not forge our headings.
package enum MarkdownExport {
    package static func text(_ body: DebateBody, decision: ConsensusResult?) -> String {
        var out = "# \(oneLine(body.topic))\n\n"
        out += "- Debate: `\(body.id.text)`\n- Status: \(body.status.clientText)\n"
        out +=
            "- Agents: \(body.agents.map(oneLine).joined(separator: ", "))\n- Rounds: \(body.roundsUsed) of \(body.rounds)\n"
        out += "- Created: \(body.createdAt.iso8601)\n"
        if body.isDemo { out += "- Answered by built-in demonstration agents, not by a model\n" }
        if let decision {
            out += "\n## Decision\n\n"
            out += "Consensus \(decision.reached ? "reached" : "not reached"), agreement \(decision.agreement.value), "
            out += "confidence \(decision.confidence.value).\n\n" + quote(decision.finalAnswer)
            if !decision.dissenting.isEmpty {
                out += "\n## Dissent\n"
                for dissent in decision.dissenting {
                    out += "\n**\(oneLine(dissent.agent))**\n\n" + quote(dissent.reasoning)
                }
            }
        }
        out += "\n## Transcript\n"
        for message in body.messages ?? [] {
            out += "\n### Round \(message.round), \(message.phase): \(oneLine(message.agent ?? message.role))\n\n"
            out += quote(message.content ?? "(erased)")
        }
        return out
    }

    private static func quote(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "> \($0)\n" }.joined()
    }

    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}

import Domain

/// One table of a debate as comma-separated values (RFC 4180), in UTF-8.
///
/// Spreadsheets run what begins like a formula; such a cell gets an apostrophe before it.
package enum CSVExport {
    package enum Table: String, Sendable, CaseIterable { case summary, messages, critiques, votes }

    package static func text(_ table: Table, _ body: DebateBody, _ story: DebateStory) -> String {
        let rows: [[String]]
        switch table {
        case .summary: rows = summary(body)
        case .messages:
            rows =
                [["index", "round", "agent", "role", "phase", "timestamp", "content"]]
                + (body.messages ?? []).map {
                    [
                        String($0.index), String($0.round), $0.agent ?? "", $0.role, $0.phase, $0.at.iso8601,
                        $0.content ?? "",
                    ]
                }
        case .critiques:
            rows =
                [["round", "agent", "target", "severity", "content"]]
                + story.critiques.map {
                    [String($0.round), $0.agent, $0.target, String($0.severity.value), $0.content]
                }
        case .votes:
            rows =
                [["round", "agent", "choice", "confidence", "continue_debate", "reasoning"]]
                + story.votes.map {
                    [
                        String($0.round), $0.agent, $0.choice ?? "", String($0.confidence.value),
                        String($0.continueDebate), $0.reasoning,
                    ]
                }
        }
        return rows.map { $0.map(cell).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func summary(_ body: DebateBody) -> [[String]] {
        [
            [
                "debate_id", "title", "question", "status", "agents", "rounds", "rounds_used", "consensus_mode",
                "consensus_reached", "confidence", "agreement", "winner", "created_at", "completed_at",
                "duration_seconds", "cost_usd", "final_answer",
            ],
            [
                body.id.text, body.shownTitle, body.topic, body.status.clientText,
                body.agents.joined(separator: "; "), String(body.rounds), String(body.roundsUsed),
                body.consensus.rawValue, String(body.consensusReached), body.confidence.map { "\($0.value)" } ?? "",
                body.agreement.map { "\($0.value)" } ?? "", body.winner ?? "", body.createdAt.iso8601,
                body.completedAt?.iso8601 ?? "", body.duration.map { "\($0.value)" } ?? "",
                String(Double(body.cost.amount) / 1e6), body.finalAnswer ?? "",
            ],
        ]
    }

    private static func cell(_ text: String) -> String {
        let isNumber = Double(text) != nil
        let safe =
            !isNumber && ["=", "+", "-", "@", "\t", "\r"].contains(text.unicodeScalars.first) ? "'" + text : text
        guard safe.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
}

/// A question that a finished debate leaves open, and that another debate may take up.
package struct FollowUp: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A position other than the decision that still had a vote at the end.
        case survivingMinority = "surviving_minority"
        /// Somebody voted otherwise, and says why.
        case dissent
        /// What the judge does not follow.
        case judgeDissent = "judge_dissent"
        /// The votes did not agree.
        case noConsensus = "no_consensus"
    }

    /// So many at most, the weightiest first.
    package static let maximum = 10
    static let maxQuotedBytes = 400

    /// Names it among those of its debate: the same log gives the same.
    package let id: String
    package let kind: Kind
    package let agent: String?
    package let question: String
    /// What it is about, in the words of whoever holds it.
    package let statement: String

    private init(_ kind: Kind, agent: String?, question: String, statement: String) {
        self.kind = kind
        self.agent = agent
        self.question = question
        self.statement = statement
        let digits = String(FNV1a.hash([kind.rawValue, agent ?? "", statement].joined(separator: "\u{0}")), radix: 16)
        id = "crux_" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// What a decision leaves open.
    /// - Parameter positions: what each agent held at the end, by name.
    package static func suggestions(
        after decision: ConsensusResult, insight: DebateInsight?, positions: [String: String]
    ) -> [FollowUp] {
        var open: [FollowUp] = []
        for agent in insight?.survivingMinorities ?? [] {
            guard let position = positions[agent], agent != decision.winner else { continue }
            open.append(
                FollowUp(
                    .survivingMinority, agent: agent, question: "What if \(agent) is right: \(quoted(position))",
                    statement: position))
        }
        for dissent in decision.dissenting where !dissent.reasoning.isEmpty {
            open.append(
                FollowUp(
                    .dissent, agent: dissent.agent,
                    question: "Does \(dissent.agent)'s objection change the decision: \(quoted(dissent.reasoning))",
                    statement: dissent.reasoning))
        }
        if let dissent = decision.judgement?.dissent, !dissent.isEmpty {
            open.append(
                FollowUp(
                    .judgeDissent, agent: decision.judgement?.judge,
                    question: "What would settle the point that the judge left open: \(quoted(dissent))",
                    statement: dissent))
        }
        if !decision.reached {
            let sides = ([decision.winner] + decision.dissenting.map(\.choice)).compactMap(\.self)
            let names = sides.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            if names.count > 1 {
                open.append(
                    FollowUp(
                        .noConsensus, agent: nil,
                        question:
                            "Which fact would decide between the positions of \(names.joined(separator: " and "))?",
                        statement: names.joined(separator: ", ")))
            }
        }
        return Array(open.prefix(maximum))
    }

    /// The first sentence, bounded.
    private static func quoted(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        let end = line.firstIndex { ".?!".contains($0) }.map { line.index(after: $0) } ?? line.endIndex
        return String(line[..<end]).cut(toBytes: maxQuotedBytes)
    }
}

/// The earlier conclusions of one debate, and who cited them.
package struct KnowledgeUses: Hashable, Sendable {
    package private(set) var conclusions: [RecalledConclusion] = []
    /// Agents by label.
    private var citations: [String: Set<String>] = [:]

    package init() {}

    /// - Returns: false when there are enough, or there is one of this label.
    package mutating func add(_ conclusion: RecalledConclusion) -> Bool {
        guard conclusions.count < RecalledConclusion.maximum,
            !conclusions.contains(where: { $0.label == conclusion.label })
        else { return false }
        conclusions.append(conclusion)
        return true
    }

    /// Takes in what an agent said.
    package mutating func note(_ event: DebateEvent, by agent: String) {
        guard !conclusions.isEmpty, let text = event.said else { return }
        for label in CitationReader.labels(in: text, known: Set(conclusions.map(\.label))) {
            citations[label, default: []].insert(agent)
        }
    }

    /// In the order of the labels.
    package func uses(panel: [String]) -> [KnowledgeUse] {
        conclusions.map { conclusion in
            KnowledgeUse(
                conclusion: conclusion, citedBy: panel.filter { citations[conclusion.label]?.contains($0) ?? false })
        }
    }
}

extension DebateEvent {
    /// What a model said in it.
    fileprivate var said: String? {
        switch self {
        case .agentMessage(let statement), .revision(let statement, _): statement.content
        case .critique(let critique): critique.content
        case .synthesis(let synthesis): synthesis.content
        case .vote(let vote), .sealedVote(let vote): vote.reasoning
        default: nil
        }
    }
}

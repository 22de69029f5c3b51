/// Who may judge, the first choice first.
struct JudgeRule {
    /// Judges that are asked, one after another, before the votes decide.
    static let maxCandidates = 3

    let spec: DebateSpec
    /// In the panel's order.
    let live: [String]
    /// Those of the last round.
    let votes: [Vote]

    /// Agents with the role of a judge go first; then the others, in the order that the debate's selection gives.
    var candidates: [String] {
        let panel = spec.agents.filter { live.contains($0.name) }
        let (named, others) = (panel.filter { $0.role == .judge }, panel.filter { $0.role != .judge })
        return Array((named + sorted(others)).map(\.name).prefix(Self.maxCandidates))
    }

    private func sorted(_ agents: [AgentSpec]) -> [AgentSpec] {
        var random = SeededRandom(seed: UInt64(bitPattern: spec.seed))
        let drawn = random.permutation(of: agents)
        // What is equal stays in the drawn order: the sort is made stable by the place.
        func best(by score: (AgentSpec) -> Int) -> [AgentSpec] {
            drawn.enumerated().sorted { (score($0.element), -$0.offset) > (score($1.element), -$1.offset) }.map(
                \.element)
        }
        return switch spec.judge {
        case .random: drawn
        case .last: agents.reversed()
        case .eloRanked: best { $0.rating }
        case .voted: best { agent in votes.count { $0.choice == agent.name && $0.agent != agent.name } }
        }
    }
}

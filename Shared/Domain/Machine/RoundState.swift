/// What has been said in one round.
struct RoundState: Hashable, Sendable {
    let number: Int
    /// Nil until the first phase begins.
    private(set) var phase: DebatePhase?
    /// Who is asked in this phase, in the panel's order; settled when the phase begins.
    private(set) var participants: [String] = []
    /// Critic → whom it criticises; settled when the critique phase begins, so that a failure in it moves no call's key.
    private(set) var targets: [String: String] = [:]
    var proposals: [String: String] = [:]
    /// By critic.
    var critiques: [String: Critique] = [:]
    var revisions: [String: String] = [:]
    /// By voter.
    var votes: [String: Vote] = [:]
    /// Against the round before; known from the vote phase on, when positions are final.
    private(set) var convergence = Convergence(state: .unknown, similarity: .zero)

    init(number: Int) { self.number = number }

    /// What an agent holds: its revision, or its proposal when it revised nothing.
    func position(of agent: String) -> String? { revisions[agent] ?? proposals[agent] }

    /// Begins a phase for the agents that are still taking part.
    ///
    /// - Parameter live: in the panel's order. `previous`: the round before, for convergence.
    mutating func begin(_ next: DebatePhase, live: [String], previous: RoundState?) {
        phase = next
        switch next {
        case .propose:
            participants = live
        case .critique:
            participants = live
            targets = Self.targets(of: live, round: number)
        case .revise:
            // Who got no critique (its critic failed) has nothing to answer and keeps its proposal.
            let criticised = Set(critiques.values.map(\.target))
            participants = live.filter(criticised.contains)
        case .vote:
            participants = live
            convergence = measureConvergence(live: live, previous: previous)
        }
    }

    /// One critic for each proposal; the pairing turns by one place every round.
    private static func targets(of live: [String], round: Int) -> [String: String] {
        guard live.count > 1 else { return [:] }
        let shift = 1 + (round - 1) % (live.count - 1)
        return Dictionary(uniqueKeysWithValues: live.indices.map { (live[$0], live[($0 + shift) % live.count]) })
    }

    private func measureConvergence(live: [String], previous: RoundState?) -> Convergence {
        let similarities = live.compactMap { agent -> Ratio? in
            guard let now = position(of: agent), let before = previous?.position(of: agent) else { return nil }
            return WordSimilarity.between(before, now)
        }
        guard let lowest = similarities.min() else { return Convergence(state: .unknown, similarity: .zero) }
        return Convergence(state: ConvergenceRule.state(of: lowest), similarity: lowest)
    }

    func hasAnswered(_ agent: String) -> Bool {
        switch phase {
        case .propose: proposals[agent] != nil
        case .critique: critiques[agent] != nil
        case .revise: revisions[agent] != nil
        case .vote: votes[agent] != nil
        case nil: false
        }
    }

    /// The key under which `agent` is asked in this phase; nil when it is not asked.
    func key(of agent: String) -> CallKey? {
        guard let phase, participants.contains(agent) else { return nil }
        return CallKey(round: number, phase: phase, agent: agent, target: phase == .critique ? targets[agent] : nil)
    }
}

/// What has been said in one round.
struct RoundState: Hashable, Sendable {
    let number: Int
    /// Nil until the first phase begins.
    private(set) var phase: DebatePhase?
    /// Who is asked in this phase, in the panel's order; settled when the phase begins. For a judge: who may judge, the
    /// first choice first.
    private(set) var participants: [String] = []
    /// Theirs, in the same order: the keys under which they are asked.
    private var keys: [CallKey] = []
    /// Critic → whom it criticises; settled when the critique phase begins, so that a failure in it moves no call's key.
    private(set) var targets: PanelMap<String> = [:]
    var proposals: PanelMap<String> = [:]
    /// By critic.
    var critiques: PanelMap<Critique> = [:]
    var revisions: PanelMap<String> = [:]
    /// By voter.
    var votes: PanelMap<Vote> = [:]
    /// By voter; sealed.
    var ballots: PanelMap<Vote> = [:]
    var synthesis: Synthesis?
    /// What agents held when the round began; empty where every round begins with proposals.
    private let heldBefore: PanelMap<String>
    /// What was said against it and not answered yet.
    private let openCritiques: PanelMap<Critique>
    /// Against the round before; known from the vote phase on, when positions are final.
    private(set) var convergence = Convergence(state: .unknown, similarity: .zero)

    /// - Parameter previous: the round before, where positions stand from one round to the next.
    init(number: Int, after previous: RoundState? = nil) {
        self.number = number
        heldBefore = previous?.positions ?? [:]
        openCritiques = previous.map { $0.revisions.isEmpty ? $0.critiques : [:] } ?? [:]
    }

    /// What an agent holds: its revision, its proposal when it revised nothing, or what it held before.
    func position(of agent: String) -> String? { revisions[agent] ?? proposals[agent] ?? heldBefore[agent] }

    private var positions: PanelMap<String> { heldBefore.overlaid(with: proposals).overlaid(with: revisions) }

    /// The criticism that a revision answers: this round's, or the last round's when this one has none.
    var criticism: PanelMap<Critique> { critiques.isEmpty ? openCritiques : critiques }

    /// Begins a phase.
    ///
    /// - Parameters:
    ///   - live: who still takes part, in the panel's order; the candidates, for a judge.
    ///   - previous: the round before, for convergence.
    mutating func begin(_ next: DebatePhase, live: [String], previous: RoundState?) {
        phase = next
        switch next {
        case .propose, .ballot, .judge:
            participants = live
        case .critique:
            participants = live
            targets = Self.targets(of: live, round: number)
        case .revise:
            // Who got no critique (its critic failed) has nothing to answer and keeps its position.
            let criticised = criticism.values.map(\.target)
            participants = live.filter(criticised.contains)
        case .vote:
            participants = live
            convergence = measureConvergence(live: live, previous: previous)
        }
        keys = participants.map {
            CallKey(round: number, phase: next, agent: $0, target: next == .critique ? targets[$0] : nil)
        }
    }

    /// One critic for each proposal; the pairing turns by one place every round.
    private static func targets(of live: [String], round: Int) -> PanelMap<String> {
        guard live.count > 1 else { return [:] }
        let shift = 1 + (round - 1) % (live.count - 1)
        return PanelMap(live.indices.lazy.map { (live[$0], live[($0 + shift) % live.count]) })
    }

    private func measureConvergence(live: [String], previous: RoundState?) -> Convergence {
        let agents = live.compactMap { agent -> Convergence.Agent? in
            // What was not said anew in this round has not moved, which tells nothing.
            guard let now = revisions[agent] ?? proposals[agent], let before = previous?.position(of: agent) else {
                return nil
            }
            let similarity = WordSimilarity.between(before, now)
            return .init(name: agent, state: ConvergenceRule.state(of: similarity), similarity: similarity)
        }
        guard let lowest = agents.map(\.similarity).min() else {
            return Convergence(state: .unknown, similarity: .zero)
        }
        return Convergence(state: ConvergenceRule.state(of: lowest), similarity: lowest, agents: agents)
    }

    func hasAnswered(_ agent: String) -> Bool {
        switch phase {
        case .propose: proposals.contains(agent)
        case .ballot: ballots.contains(agent)
        case .critique: critiques.contains(agent)
        case .revise: revisions.contains(agent)
        case .vote: votes.contains(agent)
        case .judge: synthesis != nil
        case nil: false
        }
    }

    /// The key under which `agent` is asked in this phase; nil when it is not asked.
    func key(of agent: String) -> CallKey? { participants.firstIndex(of: agent).map { keys[$0] } }
}

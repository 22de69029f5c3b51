extension DebateInsight {
    /// - Returns: nil when there are no ballots and no votes to compare.
    init?(_ state: DebateState, decision: ConsensusResult?) {
        let history = state.history
        guard !history.ballots.isEmpty, let decision else { return nil }
        // The same position under another name is no other choice.
        func named(_ choices: [String: String]) -> [String: String] {
            choices.mapValues { choice in decision.merged.first { $0.contains(choice) }?.first ?? choice }
        }
        let ballots = named(history.ballots)
        let last = history.rounds.last.map { named($0.choices) } ?? ballots
        let sealed = Self.plurality(of: ballots)
        let panel = state.spec.agents.map(\.name)
        let changes = panel.compactMap { agent -> MindChange? in
            guard let from = ballots[agent], let to = last[agent], from != to else { return nil }
            let rounds = history.rounds
            let start = rounds.lastIndex { named($0.choices)[agent] != to }.map { $0 + 1 } ?? 0
            return MindChange(
                agent: agent, from: from, to: to, round: rounds.indices.contains(start) ? rounds[start].round : 1,
                towardMajority: to == sealed.choice)
        }
        self.init(
            sealedChoice: sealed.choice, sealedShare: sealed.share,
            changedDecision: sealed.choice != nil && decision.winner != nil && sealed.choice != decision.winner,
            mindChanges: changes, herding: Self.herding(from: ballots, to: last, majority: sealed.choice),
            effectiveVoters: Self.effectiveVoters(ballots),
            survivingMinorities: panel.filter { last.values.contains($0) && $0 != decision.winner },
            effort: Effort(calls: state.answers, cost: state.usage.cost),
            baseline: Effort(calls: state.baseline.calls, cost: state.baseline.cost))
    }

    /// The choice that leads alone, and the leaders' share.
    static func plurality(of choices: [String: String]) -> (choice: String?, share: Ratio) {
        let counts = choices.values.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        let most = counts.values.max() ?? 0
        let leaders = counts.filter { $0.value == most }.keys
        return (leaders.count == 1 ? leaders.first : nil, Ratio(most, of: choices.count))
    }

    static func herding(from before: [String: String], to after: [String: String], majority: String?) -> Ratio {
        guard let majority else { return .zero }
        let both = before.filter { after[$0.key] != nil }
        let (inside, outside) = (both.filter { $0.value == majority }, both.filter { $0.value != majority })
        let joined = outside.count { after[$0.key] == majority }
        let left = inside.count { after[$0.key] != majority }
        return Ratio(
            (outside.isEmpty ? 0 : Double(joined) / Double(outside.count))
                - (inside.isEmpty ? 0 : Double(left) / Double(inside.count)))
    }

    /// Agreement beyond chance: pairs that agree, against what as many choices drawn evenly would give.
    static func effectiveVoters(_ choices: [String: String]) -> Ratio {
        let count = choices.count
        guard count > 1 else { return Ratio(Double(count)) }
        let sizes = choices.values.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }.values
        let agreeing = sizes.reduce(0) { $0 + $1 * ($1 - 1) }
        let observed = Double(agreeing) / Double(count * (count - 1))
        let chance = 1 / Double(count)
        let correlation = max(0, (observed - chance) / (1 - chance))
        return Ratio(Double(count) / (1 + Double(count - 1) * correlation))
    }
}

extension DebateInsight {
    /// - Returns: nil when there are no ballots and no votes to compare.
    init?(_ state: DebateState, decision: ConsensusResult?) {
        let history = state.history
        guard let ballots = history.ballots, !ballots.choices.isEmpty, let decision else { return nil }
        // A debate ended from outside is judged by the last vote that was complete, as its decision is.
        let rounds = history.rounds.filter { $0.round <= decision.round && !$0.choices.isEmpty }
        let last = rounds.last ?? ballots
        let sealed = ballots.leader.option
        let panel = state.spec.agents.map(\.name)
        // Where nobody's position is the decision, what leads the last vote stands for it.
        let decided = decision.winner.flatMap { last.options[$0] } ?? last.leader.option
        let gained = Self.agreementGained(from: ballots.choices, to: last.choices)
        self.init(
            sealedChoice: sealed.flatMap { ballots.holders[$0] },
            sealedShare: Ratio(ballots.leader.votes, of: ballots.choices.count),
            changedDecision: sealed != nil && decided != nil && sealed != decided,
            mindChanges: panel.compactMap { Self.change(of: $0, from: ballots, through: rounds, majority: sealed) },
            herding: gained.index, effectiveVoters: Self.effectiveVoters(gained, of: ballots.choices.count),
            survivingMinorities: Self.minorities(of: last, besides: decided, panel: panel),
            effort: Effort(calls: state.answers, cost: state.usage.cost),
            baseline: Effort(calls: state.baseline.calls, cost: state.baseline.cost))
    }

    private static func change(
        of agent: String, from ballots: VoteHistory.Moment, through rounds: [VoteHistory.Moment], majority: Int?
    ) -> MindChange? {
        guard let last = rounds.last, let from = ballots.choices[agent], let to = last.choices[agent], from != to,
            let origin = ballots.holders[from], let goal = last.holders[to]
        else { return nil }
        let start = rounds.lastIndex { $0.choices[agent] != to }.map { $0 + 1 } ?? 0
        return MindChange(
            agent: agent, from: origin, to: goal, round: rounds[start].round, towardMajority: to == majority)
    }

    private static func minorities(of last: VoteHistory.Moment, besides decided: Int?, panel: [String]) -> [String] {
        let chosen = Set(last.choices.values).filter { $0 != decided }
        return panel.filter { agent in
            last.options[agent].map { chosen.contains($0) && last.holders[$0] == agent } ?? false
        }
    }

    /// How much more often two agents agree in their last votes than in their ballots.
    struct AgreementGained: Hashable {
        /// Shares of the pairs.
        let before: Double
        let after: Double
        var index: Ratio { Ratio(after - before) }
    }

    /// Over the pairs of agents with a valid vote in both.
    static func agreementGained(from before: PanelMap<Int>, to after: PanelMap<Int>) -> AgreementGained {
        let both = before.keys.filter(after.contains)
        return AgreementGained(
            before: agreement(of: both.compactMap { before[$0] }), after: agreement(of: both.compactMap { after[$0] }))
    }

    /// The share of the pairs that agree; 0 without a pair.
    private static func agreement(of choices: [Int]) -> Double {
        guard choices.count > 1 else { return 0 }
        let sizes = choices.reduce(into: SmallMap<Int, Int>()) { $0[$1, default: 0] += 1 }.values
        return Double(sizes.reduce(0) { $0 + $1 * ($1 - 1) }) / Double(choices.count * (choices.count - 1))
    }

    /// Pairs that disagreed and have come to agree lost their independence; Kish's design effect says what that costs.
    static func effectiveVoters(_ gained: AgreementGained, of count: Int) -> Ratio {
        guard count > 1, gained.after > gained.before else { return Ratio(Double(count)) }
        let correlation = (gained.after - gained.before) / (1 - gained.before)
        return Ratio(Double(count) / (1 + Double(count - 1) * correlation))
    }
}

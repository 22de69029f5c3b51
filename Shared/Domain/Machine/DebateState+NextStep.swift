/// The order of things: what follows when nothing is outstanding, and when it is over.
extension DebateState {
    /// Live agents of this phase that have not answered.
    var outstanding: [String] {
        guard let round else { return [] }
        return round.participants.filter { failures[$0] == nil && !round.hasAnswered($0) }
    }

    /// The step to record now; nil while answers are outstanding and when the decision is made.
    var nextStep: DebateEvent? {
        guard consensus == nil, outstanding.isEmpty else { return nil }
        guard let round else { return .roundStart(round: 1, totalRounds: spec.rounds) }
        switch round.phase {
        case nil:
            return .phaseChange(from: previous == nil ? nil : .vote, to: .propose, round: round.number)
        case .vote:
            return afterVotes(of: round)
        case .some(let phase):
            return .phaseChange(from: phase, to: next(after: phase), round: round.number)
        }
    }

    /// Once the budget is spent, what there is goes to the vote.
    private func next(after phase: DebatePhase) -> DebatePhase {
        if let budget = spec.budget, usage.cost >= budget { return .vote }
        return switch phase {
        case .propose: .critique
        case .critique: .revise
        case .revise, .vote: .vote
        }
    }

    private func afterVotes(of round: RoundState) -> DebateEvent {
        if earlyTermination == nil, round.number < spec.rounds {
            guard let stop = ConvergenceRule.earlyTermination(after: round, spec: spec, spent: usage.cost) else {
                return .roundStart(round: round.number + 1, totalRounds: spec.rounds)
            }
            return .earlyTerminated(stop)
        }
        return .consensus(decision(of: round))
    }

    private func decision(of round: RoundState) -> ConsensusResult {
        ConsensusRule(spec: spec, round: round, failures: failures).decide()
    }

    /// The outcome when the debate is over and only its end is missing. A pause holds back everything but a timeout.
    var finished: DebateOutcome? {
        if let timeoutReason { return outcome(.timeout, reason: timeoutReason) }
        guard !isPaused else { return nil }
        if consensus != nil { return outcome(.completed, reason: nil) }
        guard live.count >= quorum else {
            return outcome(
                .failed,
                reason: "\(live.count) of \(spec.agents.count) agents can go on; at least \(quorum) are needed.")
        }
        return nil
    }

    func outcome(_ status: DebateStatus, reason: String?) -> DebateOutcome {
        let voted = lastVotedRound
        return DebateOutcome(
            status: status, reason: reason, consensus: consensus ?? voted.map { decision(of: $0) },
            votes: spec.agents.compactMap { voted?.votes[$0.name] }, spec: spec, engineVersion: engineVersion,
            startedAt: startedAt, roundsUsed: round?.number ?? 0, usage: usage, unknownCalls: abandonedCalls,
            participants: spec.agents.map { .init(agent: $0, failure: failures[$0.name]) }, isDemo: spec.usesDemoAgents,
            needsReceipt: receipt == nil && (status == .completed || status == .timeout))
    }

    /// The newest round in which everyone who still takes part has voted.
    private var lastVotedRound: RoundState? {
        guard let round, round.phase == .vote, outstanding.isEmpty, !round.votes.isEmpty else { return previous }
        return round
    }
}

/// The order of things: what follows when nothing is outstanding, and when it is over.
extension DebateState {
    /// Agents of this phase that are asked and have not answered: all at once, but one judge after another.
    var outstanding: [String] {
        guard let round, refusal == nil else { return [] }
        guard round.phase == .judge else {
            return round.participants.filter { isAwaited($0) }
        }
        guard round.synthesis == nil else { return [] }
        return round.participants.first { !judgeFailures.contains($0) }.map { [$0] } ?? []
    }

    /// Whether anyone is asked and has not answered.
    var hasOutstanding: Bool {
        guard let phase = round?.phase, let participants = round?.participants else { return false }
        guard phase == .judge else { return participants.contains { isAwaited($0) } }
        return !outstanding.isEmpty
    }

    /// Whether a call is due: asked, not answered, and under this key.
    func isOutstanding(_ agent: String, round number: Int, _ key: CallKey) -> Bool {
        guard round?.number == number, round?.key(of: agent) == key else { return false }
        return round?.phase == .judge ? outstanding.contains(agent) : isAwaited(agent)
    }

    private func isAwaited(_ agent: String) -> Bool {
        refusal == nil && !failures.contains(agent) && round?.hasAnswered(agent) == false
    }

    /// What is to be recorded, unless the debate is over.
    var followingStep: DebateEvent? {
        guard !$consensus, !hasOutstanding else { return nil }
        guard let round else { return .roundStart(round: 1, totalRounds: spec.rounds) }
        if refusal != nil { return .consensus(decision(of: lastVotedRound ?? round)) }
        switch round.phase {
        case .judge: return .consensus(decision(of: round))
        case .vote: return afterVotes(of: round)
        case .ballot where $earlyTermination: return conclusion(of: round)
        case .ballot:
            if let stop = adaptiveStop(after: round) { return .earlyTerminated(stop) }
            return step(in: round)
        default: return step(in: round)
        }
    }

    /// The next phase of the round's plan, or the next round. Once the budget is spent, what there is goes to the vote.
    private func step(in round: RoundState) -> DebateEvent {
        let plan = RoundPlan(round: round.number, of: spec, engine: engineVersion)
        if isBudgetSpent, live.contains(where: { round.position(of: $0) != nil }) {
            return change(to: .vote, in: round)
        }
        if let step = plan.step(after: round.phase) { return change(to: step.phase, in: round) }
        return .roundStart(round: round.number + 1, totalRounds: spec.rounds)
    }

    private func change(to phase: DebatePhase, in round: RoundState) -> DebateEvent {
        let plan = RoundPlan(round: round.number, of: spec, engine: engineVersion)
        return .phaseChange(
            from: round.phase ?? previous?.phase, to: phase, round: round.number, mode: plan.mode(of: phase))
    }

    private var isBudgetSpent: Bool { spec.budget.map { usage.cost >= $0 } ?? false }

    private func afterVotes(of round: RoundState) -> DebateEvent {
        if !$earlyTermination, round.number < spec.rounds {
            let stop =
                ConvergenceRule.earlyTermination(after: round, spec: spec, spent: usage.cost)
                ?? adaptiveStop(after: round)
            // Who was asked to take something into account is given the round in which to do it.
            guard let stop, stop.source == .budget || !awaitsRemarks else {
                return .roundStart(round: round.number + 1, totalRounds: spec.rounds)
            }
            return .earlyTerminated(stop)
        }
        return conclusion(of: round)
    }

    private func adaptiveStop(after round: RoundState) -> EarlyTermination? {
        guard spec.isAdaptive, engineVersion >= .sealedBallots, !awaitsRemarks else { return nil }
        return AdaptiveRule(panel: spec.agents.count).stopShare(after: history.votes()).map {
            EarlyTermination(round: round.number, totalRounds: spec.rounds, source: .adaptive, measure: $0)
        }
    }

    private var awaitsRemarks: Bool { waitingRemarks.contains { $0.firstRound ?? 0 <= spec.rounds } }

    /// The decision, or the judge who is to make it.
    private func conclusion(of round: RoundState) -> DebateEvent {
        wantsJudge(round) && !judges.isEmpty ? change(to: .judge, in: round) : .consensus(decision(of: round))
    }

    private func wantsJudge(_ round: RoundState) -> Bool {
        // A judge who can not be paid is none; the votes decide.
        guard engineVersion >= .sealedBallots, !isBudgetSpent else { return false }
        switch spec.consensus {
        case .judge: return true
        case .hybrid: return !decision(of: round).reached
        default: return false
        }
    }

    /// Who may judge this debate now, the first choice first.
    var judges: [String] {
        JudgeRule(spec: spec, live: live, votes: round.map { deciding(in: $0).values } ?? []).candidates
    }

    /// The votes that decide: the round's, or the ballots when the debate ended with them.
    private func deciding(in round: RoundState) -> PanelMap<Vote> {
        guard refusal != nil else { return round.votes.isEmpty ? round.ballots : round.votes }
        // Of votes that were cut short only a quorum counts.
        return [round.votes, round.ballots].first { $0.count >= quorum } ?? [:]
    }

    private func decision(of round: RoundState) -> ConsensusResult {
        ConsensusRule(
            spec: spec, engine: engineVersion, round: round, votes: deciding(in: round), failures: failures,
            quorum: quorum, judgement: judgement(in: round), isCutShort: refusal != nil, standing: standing(in: round)
        ).decide()
    }

    /// Candidate → what all votes so far say for what it holds; nil where only the last vote counts.
    private func standing(in round: RoundState) -> PanelMap<Int64>? {
        guard spec.isAdaptive, refusal == nil, let last = history.rounds.last(where: { $0.round == round.number })
        else {
            return nil
        }
        let standing = AdaptiveRule(panel: spec.agents.count)
            .standing(after: history.votes(through: round.number), weights: spec.voteWeights)
        return PanelMap(last.holders.pairs.map { option, holder in (holder, standing[option] ?? 0) })
    }

    private func judgement(in round: RoundState) -> ConsensusResult.Judgement? {
        guard round.phase == .judge else { return nil }
        return .init(judge: round.synthesis?.agent, dissent: round.synthesis?.dissent)
    }

    /// The outcome when the debate is over and only its end is missing. A pause holds back everything but a timeout.
    var finished: DebateOutcome? {
        guard isFinished else { return nil }
        if let timeoutReason { return outcome(.timeout, reason: timeoutReason) }
        if $consensus { return outcome(.completed, reason: refusal?.sentence) }
        return outcome(
            .failed,
            reason: "\(live.count) of \(spec.agents.count) agents can go on; at least \(quorum) are needed.")
    }

    /// Whether only the end is missing.
    var isFinished: Bool {
        timeoutReason != nil || !isPaused && ($consensus || spec.agents.count - failures.count < quorum)
    }

    func outcome(_ status: DebateStatus, reason: String?) -> DebateOutcome {
        let voted = lastVotedRound
        let result = consensus ?? voted.map { decision(of: $0) }
        return DebateOutcome(
            status: status, reason: reason, consensus: result,
            votes: voted.map { round in spec.agents.compactMap { deciding(in: round)[$0.name] } } ?? [],
            ballots: history.ballots.map { Dictionary(uniqueKeysWithValues: $0.names.pairs.map { ($0, $1) }) } ?? [:],
            spec: spec,
            engineVersion: engineVersion, startedAt: startedAt, roundsUsed: round?.number ?? 0, usage: usage,
            unknownCalls: abandonedCalls,
            participants: spec.agents.map {
                .init(agent: $0, failure: failures[$0.name] ?? judgeFailures[$0.name])
            },
            insight: DebateInsight(self, decision: result), refusal: refusal,
            knowledge: knowledge.uses(panel: spec.agents.map(\.name)), isDemo: spec.usesDemoAgents,
            needsReceipt: !$receipt && (status == .completed || status == .timeout))
    }

    /// The newest round whose votes are complete.
    private var lastVotedRound: RoundState? {
        guard let round else { return nil }
        if refusal != nil { return [round, previous].lazy.compactMap { $0 }.first { !deciding(in: $0).isEmpty } }
        switch round.phase {
        case .vote where !hasOutstanding && !round.votes.isEmpty, .judge: return round
        case .ballot where $earlyTermination: return round
        default: return previous.flatMap { $0.votes.isEmpty && engineVersion >= .sealedBallots ? nil : $0 }
        }
    }
}

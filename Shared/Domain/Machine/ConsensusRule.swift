/// Turns votes into a decision (contract §4).
struct ConsensusRule {
    /// Positions at least this similar are one choice.
    static let equivalent = Ratio(0.85)

    let spec: DebateSpec
    let engine: EngineVersion
    let round: RoundState
    /// By voter: the round's votes, or the ballots when the debate ended before there were any.
    let votes: PanelMap<Vote>
    let failures: PanelMap<AgentFailure>
    /// Valid votes below which nothing is reached.
    let quorum: Int
    /// What came of asking for a judge; nil when none was to be asked.
    let judgement: ConsensusResult.Judgement?
    /// It ended with what there was: without votes, that is everything that was proposed.
    var isCutShort = false
    /// Candidate → what all votes so far say for its choice; nil where only these votes decide.
    var standing: PanelMap<Int64>?

    private var panel: [String] { spec.agents.map(\.name) }

    func decide() -> ConsensusResult {
        let groups = ChoiceGroups(
            panel: panel, position: { round.position(of: $0) },
            merging: engine >= .sealedBallots ? Self.equivalent : nil)
        let valid = panel.compactMap { votes[$0] }.filter { groups.representative(of: $0.choice) != nil }
        let tally = Tally(valid, groups: groups, weights: spec.voteWeights, standing: standing)
        let winner = tally.leader(among: panel)
        let supporters = valid.filter { groups.representative(of: $0.choice) == winner && winner != nil }
        let agreement = agreement(tally, of: winner, valid: valid)
        return ConsensusResult(
            round: round.number, mode: spec.consensus, threshold: spec.threshold,
            reached: isReached(winner, tally, agreement, valid: valid.count), winner: decisionOwner(winner),
            finalAnswer: answer(of: winner), agreement: agreement,
            confidence: confidence(of: supporters, agreement: agreement), supporting: supporters.map(\.agent),
            dissenting: dissent(from: winner, groups), abstained: voters(.abstained), malformed: voters(.malformed),
            merged: groups.merged, judgement: judgement, convergence: convergence)
    }

    /// Logs of the first engine do not tell agents apart.
    private var convergence: Convergence {
        engine >= .sealedBallots
            ? round.convergence : Convergence(state: round.convergence.state, similarity: round.convergence.similarity)
    }

    private func agreement(_ tally: Tally, of winner: String?, valid: [Vote]) -> Ratio {
        // Unanimous means everyone: a missing, failed or abstaining agent counts against.
        let counted = spec.consensus == .unanimous ? Int64(panel.count) * Ratio.one.tenThousandths : tally.total
        guard let winner, counted > 0 else { return .zero }
        return Ratio(Double(tally.weight(of: winner)) / Double(counted))
    }

    private func isReached(_ winner: String?, _ tally: Tally, _ agreement: Ratio, valid: Int) -> Bool {
        guard spec.consensus != .none, winner != nil, !tally.isTied else { return false }
        guard engine < .sealedBallots || valid >= quorum else { return false }
        return agreement >= spec.threshold
    }

    /// Under `none` nobody's position is the decision.
    private func decisionOwner(_ winner: String?) -> String? { spec.consensus == .none ? nil : winner }

    private func answer(of winner: String?) -> String {
        if spec.consensus == .none || isCutShort && votes.isEmpty { return allPositions }
        return round.synthesis?.content ?? winner.flatMap { round.position(of: $0) } ?? ""
    }

    private var allPositions: String {
        panel.compactMap { agent in round.position(of: agent).map { "\(agent):\n\($0)" } }.joined(separator: "\n\n")
    }

    private func confidence(of supporters: [Vote], agreement: Ratio) -> Ratio {
        if let synthesis = round.synthesis { return synthesis.confidence }
        guard !supporters.isEmpty, spec.consensus != .none else { return .zero }
        let mean = supporters.reduce(0) { $0 + $1.confidence.value } / Double(supporters.count)
        return Ratio(mean * agreement.value)
    }

    private func voters(_ standing: Vote.Standing) -> [String] {
        engine < .sealedBallots ? [] : panel.filter { votes[$0]?.standing == standing }
    }

    private func dissent(from winner: String?, _ groups: ChoiceGroups) -> [ConsensusResult.Dissent] {
        panel.compactMap { agent in
            if let vote = votes[agent] {
                if let choice = groups.representative(of: vote.choice) {
                    guard choice != winner else { return nil }
                    return .init(agent: agent, choice: vote.choice, reasoning: vote.reasoning)
                }
                return spec.consensus == .unanimous
                    ? .init(agent: agent, choice: nil, reasoning: vote.reasoning) : nil
            }
            guard spec.consensus == .unanimous else { return nil }
            return .init(agent: agent, choice: nil, reasoning: failures[agent]?.message ?? "It cast no vote.")
        }
    }
}

extension DebateSpec {
    /// What each vote counts; 1 for whom none is given.
    var voteWeights: PanelMap<Ratio> {
        consensus == .weighted ? PanelMap(agents.lazy.map { ($0.name, $0.weight) }) : [:]
    }
}

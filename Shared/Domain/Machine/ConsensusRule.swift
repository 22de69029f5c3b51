/// Turns the votes of a round into a decision (contract §4).
struct ConsensusRule {
    let spec: DebateSpec
    let round: RoundState
    let failures: [String: AgentFailure]

    func decide() -> ConsensusResult {
        let panel = spec.agents.map(\.name)
        let valid = panel.compactMap { round.votes[$0] }.filter { isValid($0) }
        let winner = leader(of: valid, panel: panel)
        let supporters = valid.filter { $0.choice == winner }
        // Unanimous means everyone: a missing, failed or abstaining agent counts against.
        let counted = spec.consensus == .unanimous ? panel.count : valid.count
        let agreement = Ratio(supporters.count, of: counted)
        return ConsensusResult(
            round: round.number, mode: spec.consensus, threshold: spec.consensus.threshold,
            reached: winner != nil && agreement >= spec.consensus.threshold && !isTied(valid),
            winner: winner, finalAnswer: winner.flatMap { round.position(of: $0) } ?? "", agreement: agreement,
            confidence: confidence(of: supporters, agreement: agreement), supporting: supporters.map(\.agent),
            dissenting: dissent(from: winner, panel: panel), convergence: round.convergence)
    }

    /// Whether the vote names somebody who holds a position in this round.
    private func isValid(_ vote: Vote) -> Bool {
        vote.choice.flatMap { round.position(of: $0) } != nil
    }

    private func tally(_ votes: [Vote]) -> [String: (votes: Int, confidence: Int64)] {
        votes.reduce(into: [:]) { tally, vote in
            guard let choice = vote.choice else { return }
            tally[choice, default: (0, 0)].votes += 1
            tally[choice, default: (0, 0)].confidence &+= vote.confidence.tenThousandths
        }
    }

    /// Most votes, then most confidence, then first in the panel: the same on every machine.
    private func leader(of votes: [Vote], panel: [String]) -> String? {
        let tally = tally(votes)
        return panel.filter { tally[$0] != nil }.reduce(nil) { best, agent in
            guard let best, let lead = tally[best], let score = tally[agent] else { return agent }
            return (score.votes, score.confidence) > (lead.votes, lead.confidence) ? agent : best
        }
    }

    private func isTied(_ votes: [Vote]) -> Bool {
        let counts = tally(votes).values.map(\.votes)
        let most = counts.max() ?? 0
        return counts.count { $0 == most } > 1
    }

    private func confidence(of supporters: [Vote], agreement: Ratio) -> Ratio {
        guard !supporters.isEmpty else { return .zero }
        let mean = supporters.reduce(0) { $0 + $1.confidence.value } / Double(supporters.count)
        return Ratio(mean * agreement.value)
    }

    private func dissent(from winner: String?, panel: [String]) -> [ConsensusResult.Dissent] {
        panel.compactMap { agent in
            if let vote = round.votes[agent] {
                if isValid(vote) {
                    guard vote.choice != winner else { return nil }
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

/// The calls of a phase, and what their prompts are made of.
extension DebateState {
    /// Every call of this phase whose outcome is missing, in the panel's order.
    var dueCalls: [PlannedCall] {
        guard let round, let phase = round.phase else { return [] }
        let outstanding = Set(outstanding)
        return spec.agents.compactMap { agent in
            guard outstanding.contains(agent.name), let key = round.key(of: agent.name) else { return nil }
            return PlannedCall(
                key: key, agent: agent, phase: phase, round: round.number, totalRounds: spec.rounds,
                material: material(for: agent.name, in: phase, of: round))
        }
    }

    private func material(for agent: String, in phase: DebatePhase, of round: RoundState) -> PlannedCall.Material {
        let own: String?
        let others: [PlannedCall.Contribution]
        switch phase {
        case .propose:
            own = previous?.position(of: agent)
            others = previous.map { positionsWithVotes(of: $0, without: agent) } ?? []
        case .critique:
            own = round.position(of: agent)
            others =
                round.targets[agent].flatMap { target in
                    round.proposals[target].map { [.init(agent: target, content: $0)] }
                } ?? []
        case .revise:
            own = round.proposals[agent]
            others = spec.agents.compactMap { round.critiques[$0.name] }.filter { $0.target == agent }
                .map { .init(agent: $0.agent, content: $0.content) }
        case .vote:
            own = round.position(of: agent)
            others = spec.agents.compactMap { candidate in
                round.position(of: candidate.name).map { .init(agent: candidate.name, content: $0) }
            }
        }
        return .init(topic: spec.topic, context: spec.context, remarks: remarks, own: own, others: others)
    }

    /// What the others held in the last round and how they voted: the light in which a position is restated.
    private func positionsWithVotes(of last: RoundState, without agent: String) -> [PlannedCall.Contribution] {
        spec.agents.map(\.name).filter { $0 != agent }.compactMap { other in
            guard let position = last.position(of: other) else { return nil }
            guard let vote = last.votes[other] else { return .init(agent: other, content: position) }
            return .init(
                agent: other, content: "\(position)\n\nVoted for: \(vote.choice ?? "nobody"). \(vote.reasoning)")
        }
    }
}

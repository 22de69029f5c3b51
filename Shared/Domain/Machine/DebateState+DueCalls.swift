/// The calls of a phase, and what their prompts are made of.
extension DebateState {
    /// Every wanted call of this phase whose outcome is missing, in the panel's order.
    func dueCalls(where isWanted: (CallKey) -> Bool) -> [PlannedCall] {
        guard let round, let phase = round.phase else { return [] }
        let mode = RoundPlan(round: round.number, of: spec, engine: engineVersion).mode(of: phase)
        let outstanding = outstanding
        guard !outstanding.isEmpty else { return [] }
        return spec.agents.compactMap { agent in
            guard outstanding.contains(agent.name), let key = round.key(of: agent.name), isWanted(key) else {
                return nil
            }
            let asked = fallbacks[key].map { agent.answered(by: $0.fallbackProvider, model: $0.fallbackModel) } ?? agent
            return PlannedCall(
                key: key, agent: asked, phase: phase, round: round.number, totalRounds: spec.rounds, mode: mode,
                material: material(for: agent, in: phase, of: round))
        }
    }

    private func material(for asked: AgentSpec, in phase: DebatePhase, of round: RoundState) -> PlannedCall.Material {
        let agent = asked.name
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
                    round.position(of: target).map { [.init(agent: target, content: $0)] }
                } ?? []
        case .revise:
            own = round.position(of: agent)
            others = spec.agents.compactMap { round.criticism[$0.name] }.filter { $0.target == agent }
                .map { .init(agent: $0.agent, content: $0.content) }
        case .ballot, .vote:
            own = round.position(of: agent)
            // A judge votes on the others: it will have the last word anyway.
            others = positions(in: round, without: asked.role == .judge ? agent : nil)
        case .judge:
            own = nil
            others = positions(in: round, without: nil)
        }
        return .init(
            topic: spec.topic, context: spec.context, knowledge: phase.isVote ? [] : knowledge.conclusions,
            remarks: quoted(.message), constraints: quoted(.constraint), own: own, others: others,
            earlier: phase == .propose && previous == nil ? inheritance.earlier : nil,
            critiques: phase == .judge ? gravest(in: round) : [])
    }

    private func quoted(_ kind: Remark.Kind) -> [String] {
        guard !remarks.isEmpty || !inheritance.remarks.isEmpty else { return [] }
        return (inheritance.remarks + remarks).filter { $0.kind == kind }.suffix(Self.maxRemarks).map(\.content)
    }

    private func positions(in round: RoundState, without agent: String?) -> [PlannedCall.Contribution] {
        spec.agents.compactMap { candidate in
            guard candidate.name != agent else { return nil }
            return round.position(of: candidate.name).map { .init(agent: candidate.name, content: $0) }
        }
    }

    /// Criticism that a judge is shown.
    private static let judgedCritiques = 5

    private func gravest(in round: RoundState) -> [PlannedCall.Contribution] {
        let critiques = spec.agents.compactMap { round.criticism[$0.name] }
        // Equal ones stay in the panel's order.
        return critiques.enumerated().sorted { ($0.element.severity, -$0.offset) > ($1.element.severity, -$1.offset) }
            .prefix(Self.judgedCritiques).map { .init(agent: $0.element.agent, content: $0.element.content) }
    }

    /// What the others held in the last round and how they voted: the light in which a position is restated.
    func positionsWithVotes(of last: RoundState, without agent: String?) -> [PlannedCall.Contribution] {
        spec.agents.lazy.map(\.name).filter { $0 != agent }.compactMap { other in
            guard let position = last.position(of: other) else { return nil }
            guard let vote = last.votes[other] else { return .init(agent: other, content: position) }
            return .init(
                agent: other, content: "\(position)\n\nVoted for: \(vote.choice ?? "nobody"). \(vote.reasoning)")
        }
    }
}

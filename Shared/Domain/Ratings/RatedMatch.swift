/// What a finished debate says about its agents: everything that ratings are made from.
package struct RatedMatch: Hashable, Sendable {
    package enum Result: String, Sendable, CaseIterable {
        /// Its position became the decision.
        case win
        /// Another position did.
        case loss
        /// None did.
        case draw
    }

    /// One agent of the debate.
    package struct Side: Hashable, Sendable {
        /// Its name in the debate.
        package let name: String
        package let agent: RatedAgent
        /// Valid votes that others cast for its position.
        package let votes: Int
        package let result: Result
        /// The square of what its stated confidence was off by: 0 is a perfect forecast, 1 the worst. Nil when it chose
        /// nobody, or nobody won.
        package let squaredError: Ratio?
        /// Whether its last vote was for what its sealed one had chosen; nil when one of them chose nobody.
        package let kept: Bool?

        package init(
            name: String, agent: RatedAgent, votes: Int, result: Result, squaredError: Ratio?, kept: Bool?
        ) {
            self.name = name
            self.agent = agent
            self.votes = votes
            self.result = result
            self.squaredError = squaredError
            self.kept = kept
        }
    }

    /// In the panel's order; at least two.
    package let sides: [Side]
    /// The name of the agent whose position became the decision; nil when none did.
    package let winner: String?
    /// How much the match counts: the mean confidence of the votes that were cast for others; 0 without any.
    package let weight: Ratio

    package init(sides: [Side], winner: String?, weight: Ratio) {
        self.sides = sides
        self.winner = winner
        self.weight = weight
    }

    /// - Returns: nil for a debate that did not complete, where nobody cast a valid vote, or that only one agent saw
    ///   through.
    package init?(_ outcome: DebateOutcome) {
        let valid = outcome.votes.filter { $0.standing == .valid }
        guard outcome.status == .completed, let decision = outcome.consensus, !valid.isEmpty else { return nil }
        // Whoever dropped out before the votes, and got none, is not judged by what its provider failed at.
        let present = Set(outcome.votes.map(\.agent) + valid.compactMap(\.choice))
        let panel = outcome.spec.agents.filter { present.contains($0.name) }
        guard panel.count > 1 else { return nil }

        // The same position under several names is one choice.
        func position(_ name: String) -> String { decision.merged.first { $0.contains(name) }?.first ?? name }
        let winner = decision.reached ? decision.winner : nil
        let winning = winner.map(position)
        // A vote for one's own position, in whoever's words, tells nothing about the others.
        let counted = valid.filter { vote in vote.choice.map { position($0) != position(vote.agent) } ?? false }
        sides = panel.map { agent in
            let held = position(agent.name)
            let vote = valid.first { $0.agent == agent.name }
            let chosen = (vote?.choice).map(position)
            return Side(
                name: agent.name, agent: RatedAgent(agent),
                votes: counted.count { ($0.choice).map(position) == held },
                result: winning == nil ? .draw : winning == held ? .win : .loss,
                squaredError: winning == nil ? nil : vote.map { Self.squaredError($0.confidence, chosen == winning) },
                kept: chosen.flatMap { last in outcome.ballots[agent.name].map { position($0) == last } })
        }
        self.winner = winner
        weight =
            counted.isEmpty
            ? .zero : Ratio(counted.reduce(0) { $0 + $1.confidence.value } / Double(counted.count))
    }

    /// Brier's score of one forecast.
    static func squaredError(_ confidence: Ratio, _ came: Bool) -> Ratio {
        let off = confidence.value - (came ? 1 : 0)
        return Ratio(off * off)
    }

    /// Whether any agent is a built-in demonstration agent.
    package var isDemo: Bool { sides.contains { $0.agent.isDemo } }
}

/// Whether debating helped: what independent agents would have decided, against what the panel decided.
package struct DebateInsight: Hashable, Sendable {
    /// Somebody whose last vote differs from the sealed one.
    package struct MindChange: Hashable, Sendable {
        package let agent: String
        package let from: String
        package let to: String
        /// The first round in which it voted as it did in the end.
        package let round: Int
        /// Whether it moved to what most had chosen in the sealed ballots.
        package let towardMajority: Bool

        package init(agent: String, from: String, to: String, round: Int, towardMajority: Bool) {
            self.agent = agent
            self.from = from
            self.to = to
            self.round = round
            self.towardMajority = towardMajority
        }
    }

    /// Calls that were answered, and what they cost.
    package struct Effort: Hashable, Sendable {
        package let calls: Int
        package let cost: MicroUSD
        package init(calls: Int, cost: MicroUSD) {
            self.calls = calls
            self.cost = cost
        }
    }

    /// What the sealed ballots chose; nil when none was valid, or several choices led.
    package let sealedChoice: String?
    /// Its share of the valid ballots.
    package let sealedShare: Ratio
    /// Whether the debate ended with another choice than the one that led the sealed ballots.
    package let changedDecision: Bool
    package let mindChanges: [MindChange]
    /// How much more often two agents agree in their last votes than in their ballots, as a share of all pairs; −1 to 1. Its
    /// mean is 0 when agents only think again each for itself, whatever they know (docs/evaluation.md). Above 0 they drew
    /// together, which is no evidence by itself.
    package let herding: Ratio
    /// How many independent voters the last vote is worth: n ÷ (1 + (n − 1) ρ), where ρ is the share of the pairs that
    /// disagreed in the ballots and agree more since (Kish 1965, "design effect"). The ballots are sealed and count in full.
    package let effectiveVoters: Ratio
    /// Choices other than the decision that still had a vote at the end, in the panel's order.
    package let survivingMinorities: [String]
    package let effort: Effort
    /// What proposals and one vote alone would have taken.
    package let baseline: Effort

    package init(
        sealedChoice: String?, sealedShare: Ratio, changedDecision: Bool, mindChanges: [MindChange], herding: Ratio,
        effectiveVoters: Ratio, survivingMinorities: [String], effort: Effort, baseline: Effort
    ) {
        self.sealedChoice = sealedChoice
        self.sealedShare = sealedShare
        self.changedDecision = changedDecision
        self.mindChanges = mindChanges
        self.herding = herding
        self.effectiveVoters = effectiveVoters
        self.survivingMinorities = survivingMinorities
        self.effort = effort
        self.baseline = baseline
    }

    /// One plain sentence for people.
    package var sentence: String {
        guard let sealedChoice else { return "Before any criticism no choice led\(moved)\(drawn)." }
        let after = changedDecision ? "another choice" : "the same"
        return "Before any criticism the panel chose \(sealedChoice); the debate ended with \(after)\(moved)\(drawn)."
    }

    private var moved: String {
        switch mindChanges.count {
        case 0: ", and nobody changed their mind"
        case 1: ", and one agent changed its mind"
        case let count: ", and \(count) agents changed their minds"
        }
    }

    /// One debate can not tell conviction from conformity.
    private var drawn: String {
        herding > .zero ? "; that they agree more than before is no evidence by itself" : ""
    }
}

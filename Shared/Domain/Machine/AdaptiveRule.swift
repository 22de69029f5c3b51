/// Whom all votes so far speak for, and when another round is not expected to pay. Tuned and judged in docs/evaluation.md.
///
/// A sealed ballot is a thought of one's own and counts in full. So does a later change of mind to something that none of one's
/// critics had chosen. A change to what a critic had chosen may be a copy, and counts a fifth. Staying adds nothing: it is the
/// same thought again. So what a panel merely took over from each other does not outvote what its members thought alone.
package struct AdaptiveRule: Sendable {
    /// What tuning settles.
    package struct Constants: Hashable, Sendable {
        /// Share of the panel behind one choice of the sealed ballots from which a debate changes the decision for the better
        /// too seldom to be paid for.
        package let ballotShare: Ratio
        /// What a change of mind counts that goes where a critic already was.
        package let copied: Ratio
        /// How far the leader must be ahead after a round, as a share of the panel's ballots.
        package let lead: Ratio

        package init(ballotShare: Ratio, copied: Ratio, lead: Ratio) {
            self.ballotShare = ballotShare
            self.copied = copied
            self.lead = lead
        }

        package static let tuned = Constants(ballotShare: Ratio(0.6), copied: Ratio(0.2), lead: Ratio(0.2))
    }

    /// One vote of the panel: the sealed ballots, or a round's.
    package struct Moment: Hashable, Sendable {
        /// Voter → chosen option; voters whose vote was not valid are absent.
        package let choices: PanelMap<Int>
        /// Voter → what its critics since the vote before had chosen in that one.
        package let heard: PanelMap<[Int]>

        package init(choices: PanelMap<Int>, heard: PanelMap<[Int]> = [:]) {
            self.choices = choices
            self.heard = heard
        }
    }

    /// Agents asked.
    private let panel: Int
    private let constants: Constants

    package init(panel: Int, constants: Constants = .tuned) {
        self.panel = panel
        self.constants = constants
    }

    /// Option → what all votes so far say for it, in ten-thousandths of a ballot.
    ///
    /// - Parameter weights: by voter; 1 for whom none is given.
    package func standing(after votes: [Moment], weights: PanelMap<Ratio> = [:]) -> SmallMap<Int, Int64> {
        var standing = SmallMap<Int, Int64>()
        for (place, vote) in votes.enumerated() {
            for (voter, option) in vote.choices.pairs {
                let weight = (weights[voter] ?? .one).tenThousandths
                guard place > 0 else {
                    standing[option, default: 0] += weight
                    continue
                }
                guard votes[place - 1].choices[voter] != option else { continue }
                let isCopied = vote.heard[voter]?.contains(option) ?? false
                standing[option, default: 0] += isCopied ? weight * constants.copied.tenThousandths / 10_000 : weight
            }
        }
        return standing
    }

    /// The leader's share of the panel when the debate should end now; nil when it should go on.
    ///
    /// - Parameter votes: complete: the sealed ballots, then the votes of each round that had any.
    package func stopShare(after votes: [Moment]) -> Ratio? {
        guard let now = votes.last else { return nil }
        let counts = now.choices.values.reduce(into: SmallMap<Int, Int>()) { $0[$1, default: 0] += 1 }
        let standing = standing(after: votes)
        // Only what somebody still votes for can lead.
        let ranked = counts.pairs.map { (standing[$0] ?? 0, $1, $0) }.sorted { ($0.0, $0.1) > ($1.0, $1.1) }
        let share = Ratio(ranked.first?.1 ?? 0, of: panel)
        let others = standing.pairs.filter { $0.0 != ranked.first?.2 }.map(\.1).max() ?? 0
        let lead = (ranked.first?.0 ?? 0) - others
        if votes.count == 1 { return lead > 0 && share >= constants.ballotShare ? share : nil }
        if lead > 0, lead >= constants.lead.tenThousandths * Int64(panel) { return share }
        // Nobody moved: the next round would hear the same.
        return votes.dropLast().last?.choices == now.choices ? share : nil
    }
}

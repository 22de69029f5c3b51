/// When another round is not expected to pay, from who chose what so far. Tuned and judged in docs/evaluation.md.
package struct AdaptiveRule: Sendable {
    /// What tuning settles.
    package struct Constants: Hashable, Sendable {
        /// Share of the panel behind one choice of the sealed ballots from which a debate changes the decision for the better
        /// too seldom to be paid for.
        package let ballotShare: Ratio
        /// The same after a round's votes.
        package let roundShare: Ratio

        package init(ballotShare: Ratio, roundShare: Ratio) {
            self.ballotShare = ballotShare
            self.roundShare = roundShare
        }

        package static let tuned = Constants(ballotShare: Ratio(0.6), roundShare: Ratio(0.6))
    }

    /// Agents asked.
    private let panel: Int
    private let constants: Constants

    package init(panel: Int, constants: Constants = .tuned) {
        self.panel = panel
        self.constants = constants
    }

    /// The leader's share of the panel when the debate should end now; nil when it should go on.
    ///
    /// - Parameter votes: voter → option, complete: the sealed ballots, then the votes of each round that had any.
    package func stopShare(after votes: [PanelMap<Int>]) -> Ratio? {
        guard let now = votes.last else { return nil }
        let counts = now.values.reduce(into: SmallMap<Int, Int>()) { $0[$1, default: 0] += 1 }.values
        let most = counts.max() ?? 0
        let share = Ratio(most, of: panel)
        // Several that lead together are no decision, however large their share.
        let leadsAlone = counts.count { $0 == most } == 1
        if leadsAlone, share >= (votes.count == 1 ? constants.ballotShare : constants.roundShare) { return share }
        // Nobody moved: the next round would hear the same.
        return votes.dropLast().last == now ? share : nil
    }
}

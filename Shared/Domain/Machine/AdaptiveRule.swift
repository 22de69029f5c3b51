/// When another round is not expected to pay, from who chose what so far. Tuned and judged in docs/evaluation.md.
struct AdaptiveRule {
    /// Share of the panel behind one choice from which more talk changes the decision too seldom to be paid for.
    static let decisiveShare = Ratio(0.8)

    /// Agents asked.
    let panel: Int
    let history: VoteHistory

    /// The leader's share of the panel when the debate should end now; nil when it should go on.
    ///
    /// - Parameter phase: what was just completed: the sealed ballots, or a round's votes.
    func stopShare(after phase: DebatePhase?) -> Ratio? {
        let (now, before) = phase == .ballot ? (history.ballots, nil) : latest
        let share = Self.leadingShare(of: now, panel: panel)
        if share >= Self.decisiveShare { return share }
        // Nobody moved: the next round would hear the same.
        return now == before ? share : nil
    }

    private var latest: (now: [String: String], before: [String: String]?) {
        let rounds = history.rounds.map(\.choices)
        return (rounds.last ?? [:], rounds.count > 1 ? rounds[rounds.count - 2] : history.ballots)
    }

    private static func leadingShare(of choices: [String: String], panel: Int) -> Ratio {
        let counts = choices.values.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        return Ratio(counts.values.max() ?? 0, of: panel)
    }
}

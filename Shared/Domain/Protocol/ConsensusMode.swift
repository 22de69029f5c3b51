/// How votes become a decision (contract §4). Whether consensus was reached always follows from votes.
package enum ConsensusMode: String, Sendable, CaseIterable, Hashable {
    /// The leader needs a share of the valid votes.
    case majority
    /// As `majority`, each vote counted with its voter's weight.
    case weighted
    /// As `majority`, two thirds.
    case supermajority
    /// Everyone, abstentions and failures counted against.
    case unanimous
    /// Most votes are enough, however few.
    case any
    /// A judge writes the decision; the votes say whether the panel agrees.
    case judge
    /// As `majority`; a judge writes the decision when the votes do not reach it.
    case hybrid
    /// Nobody decides: all positions stand side by side.
    case none

    /// The share that the leader needs unless the debate names another.
    package var standardThreshold: Ratio {
        switch self {
        case .majority, .weighted, .judge, .hybrid, .none: Ratio(0.6)
        case .supermajority: Ratio(2, of: 3)
        case .unanimous: .one
        case .any: .zero
        }
    }

    /// The thresholds that a debate may name; nil when the mode has one of its own.
    package var thresholdRange: ClosedRange<Ratio>? {
        switch self {
        case .majority, .weighted, .judge, .hybrid: Ratio(0.5)...Ratio.one
        case .supermajority: Ratio(2, of: 3)...Ratio.one
        case .unanimous, .any, .none: nil
        }
    }
}

/// Who judges in the modes `judge` and `hybrid`, unless the panel names a judge by its role.
package enum JudgeSelection: String, Sendable, CaseIterable, Hashable {
    /// Drawn from the panel by the debate's seed.
    case random
    /// Whom most others voted for in the last round.
    case voted
    /// The last of the panel.
    case last
    /// The highest rating when the debate was created.
    case eloRanked = "elo_ranked"
}

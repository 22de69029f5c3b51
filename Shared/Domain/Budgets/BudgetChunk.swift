/// How much of a period a debate is granted at once.
///
/// More than it needs now, so that few of its phases touch the period's row, which all debates share; of what is scarce
/// only what is needed, so that nobody is refused for the sake of somebody's comfort.
package enum BudgetChunk {
    /// Phases of the same size that may follow without another grant.
    static let phasesAhead: Int64 = 3
    /// Debates that may each take their comfort from what is left.
    static let sharers: Int64 = 16

    /// - Parameters:
    ///   - missing: what the debate needs beyond what it has; above 0.
    ///   - remainder: what the period has left.
    /// - Returns: at least `missing` and at most `remainder`; nil when there is not enough.
    package static func grant(missing: MicroUSD, remainder: MicroUSD) -> MicroUSD? {
        let spare = remainder.amount - missing.amount
        guard spare >= 0 else { return nil }
        return MicroUSD(missing.amount + min(missing.amount * phasesAhead, spare / sharers))
    }
}

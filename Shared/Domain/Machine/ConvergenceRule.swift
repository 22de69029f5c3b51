/// When positions count as settled, and when rounds are not needed any more (contract §4).
enum ConvergenceRule {
    static let converged = Ratio(0.85)
    static let diverging = Ratio(0.4)
    /// Share of a round's votes that must ask to stop.
    static let stopShare = Ratio(0.85)
    /// The first round with another to compare with.
    static let firstRound = 2

    static func state(of similarity: Ratio) -> Convergence.State {
        similarity >= converged ? .converged : similarity < diverging ? .diverging : .refining
    }

    /// Why no round follows `round` although the spec allows more; nil when the next round is due.
    static func earlyTermination(after round: RoundState, spec: DebateSpec, spent: MicroUSD) -> EarlyTermination? {
        guard round.number < spec.rounds else { return nil }
        func stop(_ source: EarlyTermination.Source, _ measure: Ratio) -> EarlyTermination {
            EarlyTermination(round: round.number, totalRounds: spec.rounds, source: source, measure: measure)
        }
        if let budget = spec.budget, spent >= budget {
            return stop(.budget, Ratio(Double(spent.amount) / Double(budget.amount)))
        }
        guard round.number >= firstRound else { return nil }
        if round.convergence.state == .converged { return stop(.convergence, round.convergence.similarity) }
        let share = Ratio(round.votes.values.count { !$0.continueDebate }, of: round.votes.count)
        return share >= stopShare ? stop(.votes, share) : nil
    }
}

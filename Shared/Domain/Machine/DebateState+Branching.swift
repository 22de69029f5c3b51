/// What other debates may share of this one.
extension DebateState {
    /// Rounds of whose plan nothing is left.
    var completedRounds: Int {
        guard let round else { return 0 }
        let plan = RoundPlan(round: round.number, of: spec, engine: engineVersion)
        let isComplete = round.phase != nil && plan.step(after: round.phase) == nil && !hasOutstanding
        return isComplete ? round.number : round.number - 1
    }

    /// Whether rounds still follow each other; what comes after the last is nobody else's.
    var isBetweenRounds: Bool {
        completedRounds == round?.number ?? 0 && !$earlyTermination && !$consensus && timeoutReason == nil
            && round?.phase != .judge && !$receipt && !$end
    }

    /// What a branch takes over when it branches off here.
    var bequest: Inheritance {
        let earlier = round.map {
            PlannedCall.EarlierDebate(
                question: spec.topic, round: $0.number, positions: positionsWithVotes(of: $0, without: nil))
        }
        return Inheritance(
            earlier: earlier ?? inheritance.earlier, remarks: inheritance.remarks + remarks + waitingRemarks)
    }
}

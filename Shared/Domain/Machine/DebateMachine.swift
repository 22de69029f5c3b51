/// Decides what happens next in a debate: events in, actions out (design §2.3).
///
/// A pure value without clock, socket or randomness. Level-triggered: ``due`` is everything that is due *now*, a function
/// of the state alone, so that replaying any prefix of a log gives the right next actions and whoever acts starts only
/// what it has not in flight already. Within a phase, events may arrive in any order.
package struct DebateMachine: Hashable, Sendable {
    /// What whoever drives the machine must do.
    package enum Action: Hashable, Sendable {
        /// Make this call, unless it is in flight; then apply the event that its outcome becomes.
        case call(PlannedCall)
        /// Append these events, and apply them.
        case record([DebateEvent])
        /// Append the receipt (if the outcome needs one) and the end.
        indirect case finish(DebateOutcome)
    }

    private(set) var state: DebateState?

    package init() {}

    /// Takes the next event of the log.
    ///
    /// - Parameter at: the event's own time; the machine's clock never runs backwards.
    /// - Returns: everything that is due now; empty means wait.
    /// - Throws: ``MachineError`` when the event can not follow; the state is then unchanged.
    @discardableResult
    package mutating func apply(_ event: DebateEvent, at: Timestamp) throws(MachineError) -> [Action] {
        try take(event, at: at)
        return due
    }

    /// As ``apply(_:at:)``, for whoever has more to apply before asking what is due: that takes longer than the event itself.
    package mutating func take(_ event: DebateEvent, at: Timestamp) throws(MachineError) {
        if case .debateStart(let start) = event {
            guard state == nil else { throw MachineError(.alreadyStarted, "a second debate_start") }
            state = try DebateState(start, at: at)
        } else {
            guard try state?.apply(event, at: at) != nil else {
                throw MachineError(.notStarted, "the first event is \(event.type)")
            }
        }
    }

    /// Everything that is due now; empty means wait for an outcome or a command, or that the debate has ended.
    package var due: [Action] {
        if isFinishDue, let outcome = state?.finished { return [.finish(outcome)] }
        if let event = dueRecord { return [.record([event])] }
        return dueCalls { _ in true }.map { .call($0) }
    }

    // The same in parts, for whoever asks often: the calls are the costly part of `due`.

    /// Whether the end is due.
    package var isFinishDue: Bool { state?.$end == false && state?.isFinished == true }
    /// The event that is due to be recorded; nil when there is none.
    package var dueRecord: DebateEvent? { mayGoOn ? state?.nextStep : nil }
    /// The calls that are due, of those that are wanted: prompts are made of these only.
    package func dueCalls(where isWanted: (CallKey) -> Bool) -> [PlannedCall] {
        guard mayGoOn, let state, state.nextStep == nil else { return [] }
        return state.dueCalls(where: isWanted)
    }

    private var mayGoOn: Bool { state?.$end == false && state?.isFinished == false && !isPaused }

    /// What was asked; nil before event 1.
    package var spec: DebateSpec? { state?.spec }
    package var engineVersion: EngineVersion? { state?.engineVersion }
    /// The time of event 1.
    package var startedAt: Timestamp? { state?.startedAt }
    /// The time of the newest event; the next one must not be earlier.
    package var now: Timestamp? { state?.now }
    /// The round that has begun; 0 before the first.
    package var round: Int { state?.round?.number ?? 0 }
    /// Earlier conclusions that the panel is shown, and who has cited them so far.
    package var knowledge: [KnowledgeUse] { state.map { $0.knowledge.uses(panel: $0.spec.agents.map(\.name)) } ?? [] }
    package var phase: DebatePhase? { state?.round?.phase }
    package var isPaused: Bool { state?.isPaused ?? false }
    package var hasTimedOut: Bool { state?.timeoutReason != nil }
    package var hasEnded: Bool { state?.$end == true }
    /// Where it branched off another debate.
    package var branch: Branch? { state?.branch }
    /// Rounds of which nothing is left to do.
    package var completedRounds: Int { state?.completedRounds ?? 0 }
    /// Whether another debate may branch off right here.
    package var isBetweenRounds: Bool { state?.isBetweenRounds ?? false }
    /// What a debate that branches off here takes over.
    package var bequest: Inheritance { state?.bequest ?? Inheritance() }
    /// Gives a branch what its parent left it, before any call is due; prompts of its first round are made of it.
    package mutating func inherit(_ inheritance: Inheritance) { state?.inheritance = inheritance }

    /// Who was asked to stand in for the provider of a call that is due.
    package func fallback(of key: CallKey) -> AgentFallback? { state?.fallbacks[key] }
    /// Numbers of the budget alerts that the log has.
    package var budgetAlerts: Set<Int64> { state?.alerts ?? [] }
    /// The event that ends the debate with what it has, because nobody pays for the calls that are due.
    package func stop(refusedBy refusal: BudgetRefusal) -> DebateEvent? { state?.stop(refusedBy: refusal) }
    /// Whether only the end may follow, or nothing: commands come too late.
    package var isOver: Bool { hasEnded || state?.isFinished == true }

    /// What a debate that is ended from outside (cancelled, timed out, given up) amounts to as of now; nil before event 1.
    ///
    /// - Parameter status: terminal; `reason` is one sentence for people.
    package func outcome(endedAs status: DebateStatus, reason: String) -> DebateOutcome? {
        state?.outcome(status, reason: reason)
    }

    /// As ``outcome(endedAs:reason:)``; an end of the same kind that is due already keeps its own reason.
    package func ending(as status: DebateStatus, reason: String) -> DebateOutcome? {
        if case .finish(let outcome) = due.first, outcome.status == status { return outcome }
        return outcome(endedAs: status, reason: reason)
    }

    /// Calls whose outcome may come now, in a pause too.
    package var openCalls: [PlannedCall] { state?.dueCalls { _ in true } ?? [] }
}

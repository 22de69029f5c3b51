/// Everything that the events so far amount to. ``DebateMachine`` is its face.
struct DebateState: Hashable, Sendable {
    /// Remarks of each kind that a prompt carries, and that may wait for a round; older ones are left out.
    static let maxRemarks = 20

    struct Baseline: Hashable, Sendable {
        var calls = 0
        var cost = MicroUSD.zero
    }

    let spec: DebateSpec
    let engineVersion: EngineVersion
    let branch: Branch?
    let startedAt: Timestamp
    private(set) var now: Timestamp
    /// The round that has begun last.
    private(set) var round: RoundState?
    /// The round before it.
    @Boxed private(set) var previous: RoundState?
    /// Agents that take no further part.
    private(set) var failures: PanelMap<AgentFailure> = [:]
    /// Those that could not judge; they took part until then.
    private(set) var judgeFailures: PanelMap<AgentFailure> = [:]
    /// Who chose what, from the sealed ballots on.
    private(set) var history = VoteHistory()
    /// What prompts of this round quote, oldest first.
    private(set) var remarks: [Remark] = []
    /// What prompts of a later round will, each with that round.
    private(set) var waitingRemarks: [Remark] = []
    /// What the debate took over from the one it branched off.
    var inheritance = Inheritance()
    /// Earlier conclusions that the panel is shown, and who cited them.
    private(set) var knowledge = KnowledgeUses()
    private(set) var isPaused = false
    private(set) var usage = Usage()
    /// Calls that were answered.
    private(set) var answers = 0
    /// Of those, the ones that a vote without a debate would have needed as well.
    private(set) var baseline = Baseline()
    private(set) var abandonedCalls = 0
    /// Calls of this phase that another provider answers.
    private(set) var fallbacks: [CallKey: AgentFallback] = [:]
    @Boxed private(set) var earlyTermination: EarlyTermination?
    /// Who could not pay for the calls that were due; nobody is asked any more.
    private(set) var refusal: BudgetRefusal?
    /// Numbers of the alerts that the log has.
    private(set) var alerts: Set<Int64> = []
    @Boxed private(set) var consensus: ConsensusResult?
    private(set) var timeoutReason: String?
    @Boxed private(set) var receipt: ReceiptSummary?
    @Boxed private(set) var end: DebateEnd?
    /// The step to record now; nil while answers are outstanding and when the debate is over. Follows from everything above, and
    /// is worked out once for each event.
    @Boxed private(set) var nextStep: DebateEvent?

    init(_ start: DebateStart, at: Timestamp) throws(MachineError) {
        guard EngineVersion.supported.contains(start.engineVersion) else {
            throw MachineError(.unsupportedEngine, "engine version \(start.engineVersion.number)")
        }
        spec = start.spec
        engineVersion = start.engineVersion
        branch = start.branch
        startedAt = at
        now = at
        nextStep = followingStep
    }

    /// Agents that still take part, in the panel's order.
    var live: [String] { spec.agents.map(\.name).filter { failures[$0] == nil } }

    /// Live agents below which a debate has failed: half of the panel, and at least two (contract §4).
    var quorum: Int { max(2, (spec.agents.count + 1) / 2) }

    /// Checks that the event may follow, then takes it in; changes nothing when it throws.
    mutating func apply(_ event: DebateEvent, at: Timestamp) throws(MachineError) {
        guard !$end else { throw MachineError(.ended, "\(event.type) after debate_end") }
        if $receipt {
            guard case .debateEnd = event else { throw MachineError(.ended, "\(event.type) after receipt_generated") }
        }
        switch event {
        case .debateStart:
            throw MachineError(.alreadyStarted, "a second debate_start")
        case .knowledgeRecalled(let conclusion):
            guard round == nil, knowledge.add(conclusion) else {
                throw MachineError(.outOfTurn, "an earlier conclusion too late, twice, or too many")
            }
        case .earlyTerminated(let termination) where termination.refusedBy != nil:
            try stop(termination)
        case .roundStart, .phaseChange, .earlyTerminated, .consensus:
            try step(event)
        case .budgetAlert(let alert):
            alerts.insert(alert.number)
        case .agentMessage, .critique, .revision, .vote, .sealedVote, .synthesis, .agentError:
            try consume(event)
        case .callAbandoned:
            abandonedCalls += 1
        case .agentFallback(let fallback):
            try redirect(fallback)
        case .userMessage(_, let remark):
            take(remark)
        case .debatePaused:
            isPaused = true
        case .debateResumed:
            isPaused = false
        case .timeout(let reason):
            guard timeoutReason == nil else { throw MachineError(.outOfTurn, "a second timeout") }
            timeoutReason = reason
        case .receiptGenerated(let summary):
            guard isFinished else { throw MachineError(.outOfTurn, "a receipt before the debate is over") }
            receipt = summary
        case .debateEnd(let last):
            end = last
        }
        now = max(now, at)
        nextStep = isFinished ? nil : followingStep
    }

    /// A step that the machine itself called for: it must be exactly the one that is due.
    private mutating func step(_ event: DebateEvent) throws(MachineError) {
        guard !isFinished, !isPaused, event == nextStep else {
            throw MachineError(.outOfTurn, "\(event.type) is not the next step")
        }
        switch event {
        case .roundStart(let number, _):
            previous = round
            // Before sealed ballots every round began with proposals, and nothing was carried over.
            round = RoundState(number: number, after: engineVersion >= .sealedBallots ? previous : nil)
            let due = waitingRemarks.filter { $0.firstRound ?? 0 <= number }
            waitingRemarks.removeAll { $0.firstRound ?? 0 <= number }
            for remark in due { quote(remark) }
        case .phaseChange(_, let phase, _, _):
            fallbacks = [:]
            let asked = phase == .judge ? judges : live
            let earlier = previous
            round?.begin(phase, live: asked, previous: earlier)
            if engineVersion >= .sealedBallots, phase == .ballot || phase == .vote {
                history.begin(phase, round: round?.number ?? 0, positions: heldPositions)
            }
        case .earlyTerminated(let termination):
            earlyTermination = termination
        case .consensus(let result):
            consensus = result
        default:
            break  // apply() sends only these four here
        }
    }

    /// Nil when no call is due.
    func stop(refusedBy refusal: BudgetRefusal) -> DebateEvent? {
        guard let round, !outstanding.isEmpty else { return nil }
        let limit = refusal == .debate ? spec.budget?.amount ?? 0 : 0
        return .earlyTerminated(
            EarlyTermination(
                round: round.number, totalRounds: spec.rounds, source: .budget,
                measure: limit == 0 ? .zero : Ratio(Double(usage.cost.amount) / Double(limit)), refusedBy: refusal))
    }

    /// Calls are due that nobody pays for.
    private mutating func stop(_ termination: EarlyTermination) throws(MachineError) {
        guard !isFinished, !isPaused, !$consensus, hasOutstanding else {
            throw MachineError(.outOfTurn, "no call is due that could not be paid")
        }
        earlyTermination = termination
        refusal = termination.refusedBy
    }

    /// Prompts of one round all quote the same: what comes in its midst waits for the next. The first engine did not wait.
    private mutating func take(_ remark: Remark) {
        guard engineVersion >= .sealedBallots else { return quote(remark) }
        let first = max(remark.firstRound ?? 0, (round?.number ?? 0) + 1)
        Self.add(Remark(remark.content, kind: remark.kind, firstRound: first), to: &waitingRemarks)
    }

    private mutating func quote(_ remark: Remark) { Self.add(remark, to: &remarks) }

    private static func add(_ remark: Remark, to list: inout [Remark]) {
        list.append(remark)
        guard list.count(where: { $0.kind == remark.kind }) > maxRemarks else { return }
        if let oldest = list.firstIndex(where: { $0.kind == remark.kind }) { list.remove(at: oldest) }
    }

    /// Another provider for a call: the call must be due, and not redirected before.
    private mutating func redirect(_ fallback: AgentFallback) throws(MachineError) {
        guard isOutstanding(fallback.agent, round: fallback.round, fallback.call.key),
            fallbacks[fallback.call.key] == nil
        else { throw MachineError(.unknownCall, "a fallback of \(fallback.call.key), which is not due") }
        fallbacks[fallback.call.key] = fallback
    }

    /// The outcome of a call: the call must be due, and not consumed before.
    private mutating func consume(_ event: DebateEvent) throws(MachineError) {
        guard let call = event.consumedCall, let agent = event.agent, round?.phase == event.phase,
            isOutstanding(agent, round: event.round, call.key)
        else {
            throw MachineError(.unknownCall, "\(event.type) of \(event.consumedCall?.key.text ?? "no call") is not due")
        }
        knowledge.note(event, by: agent)
        switch event {
        case .agentMessage(let statement):
            round?.proposals[agent] = statement.content
            count(statement.usage)
        case .critique(let critique):
            guard critique.target == round?.targets[agent] else {
                throw MachineError(.unknownCall, "\(agent) criticises somebody else")
            }
            round?.critiques[agent] = critique
            history.note(critique)
            count(critique.usage)
        case .revision(let statement, _):
            round?.revisions[agent] = statement.content
            count(statement.usage)
        case .vote(let vote):
            round?.votes[agent] = vote
            history.note(vote)
            count(vote.usage)
        case .sealedVote(let vote):
            round?.ballots[agent] = vote
            history.note(ballot: vote)
            count(vote.usage)
        case .synthesis(let synthesis):
            round?.synthesis = synthesis
            count(synthesis.usage)
        case .agentError(let failure):
            // The votes stand: without a judge they decide.
            if failure.phase == .judge { judgeFailures[agent] = failure } else { failures[agent] = failure }
        default:
            break  // apply() sends only outcomes here
        }
    }

    private var heldPositions: [(agent: String, text: String)] {
        spec.agents.compactMap { agent in round?.position(of: agent.name).map { (agent.name, $0) } }
    }

    private mutating func count(_ used: Usage) {
        answers += 1
        // What it would have cost to ask everyone once and to vote at once.
        if round?.number == 1, round?.phase == .propose || round?.phase == .ballot {
            baseline.calls += 1
            baseline.cost = baseline.cost + used.cost
        }
        usage = Usage(
            inputTokens: usage.inputTokens &+ used.inputTokens, outputTokens: usage.outputTokens &+ used.outputTokens,
            cost: usage.cost + used.cost, isPriceAssumed: usage.isPriceAssumed || used.isPriceAssumed)
    }
}

extension DebateEvent {
    /// The phase in which the outcome of a call belongs; nil for events that consume none.
    fileprivate var phase: DebatePhase? {
        switch self {
        case .agentMessage: .propose
        case .critique: .critique
        case .revision: .revise
        case .vote: .vote
        case .sealedVote: .ballot
        case .synthesis: .judge
        case .agentError(let failure): failure.phase
        default: nil
        }
    }
}

/// Everything that the events so far amount to. ``DebateMachine`` is its face.
struct DebateState: Hashable, Sendable {
    /// Remarks of people that a prompt carries; older ones are left out.
    static let maxRemarks = 20

    let spec: DebateSpec
    let engineVersion: EngineVersion
    let startedAt: Timestamp
    private(set) var now: Timestamp
    /// The round that has begun last.
    private(set) var round: RoundState?
    /// The round before it.
    private(set) var previous: RoundState?
    /// Agents that take no further part.
    private(set) var failures: [String: AgentFailure] = [:]
    private(set) var remarks: [String] = []
    private(set) var isPaused = false
    private(set) var usage = Usage()
    private(set) var abandonedCalls = 0
    private(set) var earlyTermination: EarlyTermination?
    private(set) var consensus: ConsensusResult?
    private(set) var timeoutReason: String?
    private(set) var receipt: ReceiptSummary?
    private(set) var end: DebateEnd?

    init(_ start: DebateStart, at: Timestamp) throws(MachineError) {
        guard EngineVersion.supported.contains(start.engineVersion) else {
            throw MachineError(.unsupportedEngine, "engine version \(start.engineVersion.number)")
        }
        spec = start.spec
        engineVersion = start.engineVersion
        startedAt = at
        now = at
    }

    /// Agents that still take part, in the panel's order.
    var live: [String] { spec.agents.map(\.name).filter { failures[$0] == nil } }

    /// Live agents below which a debate has failed: half of the panel, and at least two (contract §4).
    var quorum: Int { max(2, (spec.agents.count + 1) / 2) }

    /// Checks that the event may follow, then takes it in; changes nothing when it throws.
    mutating func apply(_ event: DebateEvent, at: Timestamp) throws(MachineError) {
        guard end == nil else { throw MachineError(.ended, "\(event.type) after debate_end") }
        if receipt != nil {
            guard case .debateEnd = event else { throw MachineError(.ended, "\(event.type) after receipt_generated") }
        }
        switch event {
        case .debateStart:
            throw MachineError(.alreadyStarted, "a second debate_start")
        case .roundStart, .phaseChange, .earlyTerminated, .consensus:
            try step(event)
        case .agentMessage, .critique, .revision, .vote, .agentError:
            try consume(event)
        case .callAbandoned:
            abandonedCalls += 1
        case .userMessage(_, let content):
            remarks.append(content)
            if remarks.count > Self.maxRemarks { remarks.removeFirst() }
        case .debatePaused:
            isPaused = true
        case .debateResumed:
            isPaused = false
        case .timeout(let reason):
            guard timeoutReason == nil else { throw MachineError(.outOfTurn, "a second timeout") }
            timeoutReason = reason
        case .receiptGenerated(let summary):
            guard finished != nil else { throw MachineError(.outOfTurn, "a receipt before the debate is over") }
            receipt = summary
        case .debateEnd(let last):
            end = last
        }
        now = max(now, at)
    }

    /// A step that the machine itself called for: it must be exactly the one that is due.
    private mutating func step(_ event: DebateEvent) throws(MachineError) {
        guard finished == nil, !isPaused, event == nextStep else {
            throw MachineError(.outOfTurn, "\(event.type) is not the next step")
        }
        switch event {
        case .roundStart(let number, _):
            previous = round
            round = RoundState(number: number)
        case .phaseChange(_, let phase, _):
            let live = live
            round?.begin(phase, live: live, previous: previous)
        case .earlyTerminated(let termination):
            earlyTermination = termination
        case .consensus(let result):
            consensus = result
        default:
            break  // apply() sends only these four here
        }
    }

    /// The outcome of a call: the call must be due, and not consumed before.
    private mutating func consume(_ event: DebateEvent) throws(MachineError) {
        guard let call = event.consumedCall, let agent = event.agent, let round, event.round == round.number,
            failures[agent] == nil, !round.hasAnswered(agent), round.key(of: agent) == call.key,
            round.phase == event.phase
        else {
            throw MachineError(.unknownCall, "\(event.type) of \(event.consumedCall?.key.text ?? "no call") is not due")
        }
        switch event {
        case .agentMessage(let statement):
            self.round?.proposals[agent] = statement.content
            count(statement.usage)
        case .critique(let critique):
            guard critique.target == round.targets[agent] else {
                throw MachineError(.unknownCall, "\(agent) criticises somebody else")
            }
            self.round?.critiques[agent] = critique
            count(critique.usage)
        case .revision(let statement, _):
            self.round?.revisions[agent] = statement.content
            count(statement.usage)
        case .vote(let vote):
            self.round?.votes[agent] = vote
            count(vote.usage)
        case .agentError(let failure):
            failures[agent] = failure
        default:
            break  // apply() sends only outcomes here
        }
    }

    private mutating func count(_ used: Usage) {
        usage = Usage(
            inputTokens: usage.inputTokens &+ used.inputTokens, outputTokens: usage.outputTokens &+ used.outputTokens,
            cost: usage.cost + used.cost)
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
        case .agentError(let failure): failure.phase
        default: nil
        }
    }
}

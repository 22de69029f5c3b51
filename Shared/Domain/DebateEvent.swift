/// The steps of a round, in order; ``RoundPlan`` says which of them a round has.
package enum DebatePhase: String, Sendable, CaseIterable, Hashable {
    case propose
    /// A sealed vote on the proposals, before anyone was criticised; no agent is ever shown it.
    case ballot
    case critique, revise, vote
    /// One agent writes the decision.
    case judge

    /// Whether an agent chooses among what is there, and says nothing new.
    var isVote: Bool { self == .ballot || self == .vote }
}

/// The outcome that an event consumed: unit of payment, and unique per debate and key among events.
package struct CallReference: Hashable, Sendable {
    package let key: CallKey
    /// From 1.
    package let attempt: Int
    package init(key: CallKey, attempt: Int) {
        self.key = key
        self.attempt = attempt
    }
}

/// Names one model call of a debate, whatever process makes it and how often: `r2/critique/demo-1/demo-2`.
package struct CallKey: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package init(round: Int, phase: DebatePhase, agent: String, target: String? = nil) {
        text = "r\(round)/\(phase.rawValue)/\(agent)" + (target.map { "/\($0)" } ?? "")
    }
    package var description: String { text }

    /// The round it names; 0 when the text is not a key of ours.
    package var round: Int {
        guard let part = parts.first, part.first == "r" else { return 0 }
        return Int(part.dropFirst()) ?? 0
    }

    /// The agent it asks; nil when the text is not a key of ours.
    package var agent: String? { parts.count > 2 ? String(parts[2]) : nil }

    private var parts: [Substring] { text.split(separator: "/", maxSplits: 3) }
}

/// What an answer used and cost.
package struct Usage: Hashable, Sendable {
    package let inputTokens: Int
    package let outputTokens: Int
    package let cost: MicroUSD
    /// The model has no known price: it was taken for as dear as the dearest that has one.
    package let isPriceAssumed: Bool
    package init(
        inputTokens: Int = 0, outputTokens: Int = 0, cost: MicroUSD = .zero, isPriceAssumed: Bool = false
    ) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cost = cost
        self.isPriceAssumed = isPriceAssumed
    }
}

/// Something that happened in a debate. The log of these is the truth; everything else is derived from it.
package enum DebateEvent: Hashable, Sendable {
    // The large and rare ones are kept apart, so that the others are cheap to pass on.
    indirect case debateStart(DebateStart)
    /// An earlier conclusion on a similar question, which the panel is shown. An event of its own, so that it can be erased
    /// with the debate it came from.
    indirect case knowledgeRecalled(RecalledConclusion)
    case roundStart(round: Int, totalRounds: Int)
    /// `mode`: the way of thinking in the format `full`.
    case phaseChange(from: DebatePhase?, to: DebatePhase, round: Int, mode: CognitiveMode? = nil)
    /// A proposal.
    case agentMessage(Statement)
    case critique(Critique)
    case revision(Statement, original: String)
    case vote(Vote)
    /// What an agent would have decided alone, having read the proposals and nothing else.
    case sealedVote(Vote)
    /// The judge's decision.
    indirect case synthesis(Synthesis)
    /// A call failed for good; its agent takes no further part.
    case agentError(AgentFailure)
    /// A provider could not answer; another is asked in its place, in the next attempt of the same call.
    case agentFallback(AgentFallback)
    /// A call was in flight when its runner lost the debate; it may have been paid for, and may be sent again.
    case callAbandoned(CallReference, agent: String, round: Int)
    case userMessage(author: String, Remark)
    case debatePaused(by: String)
    case debateResumed(by: String)
    case earlyTerminated(EarlyTermination)
    /// A call of this debate took a budget of its organization over its threshold.
    case budgetAlert(BudgetAlert)
    indirect case consensus(ConsensusResult)
    case timeout(reason: String)
    case receiptGenerated(ReceiptSummary)
    indirect case debateEnd(DebateEnd)

    /// The type of ``knowledgeRecalled(_:)``.
    package static let recallType = "knowledge_recalled"

    /// The name on the wire (contract §3.2). A name is never reused with another meaning.
    package var type: String {
        switch self {
        case .debateStart: "debate_start"
        case .knowledgeRecalled: Self.recallType
        case .roundStart: "round_start"
        case .phaseChange: "phase_change"
        case .agentMessage: "agent_message"
        case .critique: "critique"
        case .revision: "revision"
        case .vote: "vote"
        case .sealedVote: "sealed_vote"
        case .synthesis: "synthesis"
        case .agentError: "agent_error"
        case .agentFallback: "agent_fallback_triggered"
        case .callAbandoned: "call_abandoned"
        case .userMessage: "user_message"
        case .debatePaused: "debate_paused"
        case .debateResumed: "debate_resumed"
        case .earlyTerminated: "debate_early_terminated"
        case .budgetAlert: "budget_alert"
        case .consensus: "consensus"
        case .timeout: "timeout"
        case .receiptGenerated: "receipt_generated"
        case .debateEnd: "debate_end"
        }
    }

    /// The round it belongs to; 0 before the first and for events of the whole debate.
    package var round: Int {
        switch self {
        case .roundStart(let round, _), .phaseChange(_, _, let round, _), .callAbandoned(_, _, let round): round
        case .agentMessage(let statement), .revision(let statement, _): statement.round
        case .critique(let critique): critique.round
        case .vote(let vote), .sealedVote(let vote): vote.round
        case .synthesis(let synthesis): synthesis.round
        case .agentError(let failure): failure.round
        case .agentFallback(let fallback): fallback.round
        case .earlyTerminated(let termination): termination.round
        case .consensus(let result): result.round
        case .debateEnd(let end): end.roundsUsed
        case .debateStart, .knowledgeRecalled, .userMessage, .debatePaused, .debateResumed, .budgetAlert, .timeout,
            .receiptGenerated:
            0
        }
    }

    /// The agent it is about; nil for events of the whole debate.
    package var agent: String? {
        switch self {
        case .agentMessage(let statement), .revision(let statement, _): statement.agent
        case .critique(let critique): critique.agent
        case .vote(let vote), .sealedVote(let vote): vote.agent
        case .synthesis(let synthesis): synthesis.agent
        case .agentError(let failure): failure.agent
        case .agentFallback(let fallback): fallback.agent
        case .callAbandoned(_, let agent, _): agent
        default: nil
        }
    }

    /// The call whose outcome this event consumes; at most one event of a debate per key.
    package var consumedCall: CallReference? {
        switch self {
        case .agentMessage(let statement), .revision(let statement, _): statement.call
        case .critique(let critique): critique.call
        case .vote(let vote), .sealedVote(let vote): vote.call
        case .synthesis(let synthesis): synthesis.call
        case .agentError(let failure): failure.call
        default: nil
        }
    }
}

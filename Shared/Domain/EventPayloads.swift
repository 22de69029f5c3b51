/// Event 1: what was asked.
package struct DebateStart: Hashable, Sendable {
    package let spec: DebateSpec
    package let engineVersion: EngineVersion
    package init(spec: DebateSpec, engineVersion: EngineVersion) {
        self.spec = spec
        self.engineVersion = engineVersion
    }
}

/// A proposal or a revision: what an agent holds.
package struct Statement: Hashable, Sendable {
    package let agent: String
    package let provider: ProviderKey
    /// The model that answered, which may differ from the one asked for.
    package let model: String
    package let role: AgentRole
    package let round: Int
    package let content: String
    /// The answer was longer than an event may be, and was cut.
    package let truncated: Bool
    package let usage: Usage
    package let call: CallReference

    package init(
        agent: String, provider: ProviderKey, model: String, role: AgentRole, round: Int, content: String,
        truncated: Bool,
        usage: Usage, call: CallReference
    ) {
        self.agent = agent
        self.provider = provider
        self.model = model
        self.role = role
        self.round = round
        self.content = content
        self.truncated = truncated
        self.usage = usage
        self.call = call
    }
}

/// What one agent finds wrong in another's statement.
package struct Critique: Hashable, Sendable {
    package let agent: String
    package let target: String
    package let round: Int
    package let content: String
    /// 0 (fine) to 1 (fatal), as the critic says.
    package let severity: Ratio
    package let truncated: Bool
    package let usage: Usage
    package let call: CallReference

    package init(
        agent: String, target: String, round: Int, content: String, severity: Ratio, truncated: Bool, usage: Usage,
        call: CallReference
    ) {
        self.agent = agent
        self.target = target
        self.round = round
        self.content = content
        self.severity = severity
        self.truncated = truncated
        self.usage = usage
        self.call = call
    }
}

/// One agent's vote at the end of a round.
package struct Vote: Hashable, Sendable {
    package let agent: String
    package let round: Int
    /// The chosen agent's name; nil for an abstention, and for a vote that names nobody who took part.
    package let choice: String?
    package let reasoning: String
    package let confidence: Ratio
    /// Whether the voter wants another round.
    package let continueDebate: Bool
    package let usage: Usage
    package let call: CallReference

    package init(
        agent: String, round: Int, choice: String?, reasoning: String, confidence: Ratio, continueDebate: Bool,
        usage: Usage,
        call: CallReference
    ) {
        self.agent = agent
        self.round = round
        self.choice = choice
        self.reasoning = reasoning
        self.confidence = confidence
        self.continueDebate = continueDebate
        self.usage = usage
        self.call = call
    }
}

/// Why an agent takes no further part.
package struct AgentFailure: Hashable, Sendable {
    package let agent: String
    package let provider: ProviderKey
    package let phase: DebatePhase
    package let round: Int
    package let kind: CallFailure.Kind
    /// A fixed sentence per kind; never the provider's own text, which is untrusted.
    package let message: String
    package let call: CallReference

    package init(
        agent: String, provider: ProviderKey, phase: DebatePhase, round: Int, kind: CallFailure.Kind, message: String,
        call: CallReference
    ) {
        self.agent = agent
        self.provider = provider
        self.phase = phase
        self.round = round
        self.kind = kind
        self.message = message
        self.call = call
    }
}

/// Rounds that were not needed.
package struct EarlyTermination: Hashable, Sendable {
    package enum Source: String, Sendable, CaseIterable { case convergence, votes, budget }
    package let round: Int
    package let totalRounds: Int
    package let source: Source
    /// The lowest similarity between consecutive positions, the share that voted to stop, or the cost over the budget.
    package let measure: Ratio

    package init(round: Int, totalRounds: Int, source: Source, measure: Ratio) {
        self.round = round
        self.totalRounds = totalRounds
        self.source = source
        self.measure = measure
    }
}

/// How similar positions were between the last two rounds.
package struct Convergence: Hashable, Sendable {
    package enum State: String, Sendable { case converged, refining, diverging, unknown }
    package let state: State
    /// The lowest similarity of any agent's position to its previous one.
    package let similarity: Ratio
    package init(state: State, similarity: Ratio) {
        self.state = state
        self.similarity = similarity
    }
}

/// The decision, from the votes of the last round that was voted on.
package struct ConsensusResult: Hashable, Sendable {
    package let round: Int
    package let mode: ConsensusMode
    package let threshold: Ratio
    package let reached: Bool
    /// The agent whose position leads; nil when no valid vote was cast.
    package let winner: String?
    /// The winner's last position; empty when there is none.
    package let finalAnswer: String
    /// The leader's share of the votes that count: the valid ones under majority, everyone's under unanimous.
    package let agreement: Ratio
    /// The supporters' mean confidence times the agreement.
    package let confidence: Ratio
    package let supporting: [String]
    package let dissenting: [Dissent]
    package let convergence: Convergence

    package struct Dissent: Hashable, Sendable {
        package let agent: String
        package let choice: String?
        package let reasoning: String
        package init(agent: String, choice: String?, reasoning: String) {
            self.agent = agent
            self.choice = choice
            self.reasoning = reasoning
        }
    }

    package init(
        round: Int, mode: ConsensusMode, threshold: Ratio, reached: Bool, winner: String?, finalAnswer: String,
        agreement: Ratio, confidence: Ratio, supporting: [String], dissenting: [Dissent], convergence: Convergence
    ) {
        self.round = round
        self.mode = mode
        self.threshold = threshold
        self.reached = reached
        self.winner = winner
        self.finalAnswer = finalAnswer
        self.agreement = agreement
        self.confidence = confidence
        self.supporting = supporting
        self.dissenting = dissenting
        self.convergence = convergence
    }
}

/// How far a decision may be relied on.
package enum Verdict: String, Sendable, CaseIterable {
    case approved = "APPROVED"
    case approvedWithConditions = "APPROVED_WITH_CONDITIONS"
    case needsReview = "NEEDS_REVIEW"

    /// Contract §5: reached with confidence ≥ 0.7, reached, or neither.
    package init(reached: Bool, confidence: Ratio) {
        self = !reached ? .needsReview : confidence >= Ratio(0.7) ? .approved : .approvedWithConditions
    }

    package var riskLevel: String {
        switch self {
        case .approved: "LOW"
        case .approvedWithConditions: "MEDIUM"
        case .needsReview: "HIGH"
        }
    }
}

/// What the log says of a receipt; the receipt itself is a row.
package struct ReceiptSummary: Hashable, Sendable {
    package let id: ReceiptID
    package let verdict: Verdict
    package let confidence: Ratio
    /// Lowercase hex SHA-256 of the receipt's canonical bytes.
    package let checksum: String

    package init(id: ReceiptID, verdict: Verdict, confidence: Ratio, checksum: String) {
        self.id = id
        self.verdict = verdict
        self.confidence = confidence
        self.checksum = checksum
    }
}

/// The last event of every debate.
package struct DebateEnd: Hashable, Sendable {
    package let status: DebateStatus
    /// One sentence for every end but `completed`.
    package let reason: String?
    package let result: String?
    package let totalRounds: Int
    package let roundsUsed: Int
    package let consensusReached: Bool
    package let confidence: Ratio
    package let duration: Ratio
    package let cost: MicroUSD

    /// - Parameter duration: seconds since event 1.
    package init(
        status: DebateStatus, reason: String?, result: String?, totalRounds: Int, roundsUsed: Int,
        consensusReached: Bool,
        confidence: Ratio, duration: Ratio, cost: MicroUSD
    ) {
        precondition(status.isTerminal, "a debate ends in a terminal status")
        self.status = status
        self.reason = reason
        self.result = result
        self.totalRounds = totalRounds
        self.roundsUsed = roundsUsed
        self.consensusReached = consensusReached
        self.confidence = confidence
        self.duration = duration
        self.cost = cost
    }
}

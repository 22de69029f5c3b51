/// Event 1: what was asked.
package struct DebateStart: Hashable, Sendable {
    package let spec: DebateSpec
    package let engineVersion: EngineVersion
    /// Where it branched off another debate; nil when it stands for itself.
    package let branch: Branch?
    package init(spec: DebateSpec, engineVersion: EngineVersion, branch: Branch? = nil) {
        self.spec = spec
        self.engineVersion = engineVersion
        self.branch = branch
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

/// One agent's vote at the end of a round, or its sealed ballot.
package struct Vote: Hashable, Sendable {
    /// What became of the choice.
    package enum Standing: String, Sendable, CaseIterable {
        /// It names a candidate.
        case valid
        /// It says that it chooses nobody.
        case abstained
        /// It names no candidate, or several.
        case malformed
    }

    package let agent: String
    package let round: Int
    /// The chosen agent's name; nil unless `standing` is valid.
    package let choice: String?
    package let standing: Standing
    package let reasoning: String
    package let confidence: Ratio
    /// Whether the voter wants another round.
    package let continueDebate: Bool
    package let usage: Usage
    package let call: CallReference

    package init(
        agent: String, round: Int, choice: String?, standing: Standing? = nil, reasoning: String, confidence: Ratio,
        continueDebate: Bool, usage: Usage, call: CallReference
    ) {
        self.agent = agent
        self.round = round
        self.choice = choice
        self.standing = choice != nil ? .valid : standing == .valid ? .malformed : standing ?? .abstained
        self.reasoning = reasoning
        self.confidence = confidence
        self.continueDebate = continueDebate
        self.usage = usage
        self.call = call
    }
}

/// What a judge decides, in its own words.
package struct Synthesis: Hashable, Sendable {
    package let agent: String
    package let provider: ProviderKey
    package let model: String
    package let round: Int
    package let content: String
    /// The judge's own.
    package let confidence: Ratio
    /// What the judge says that it does not follow, in its own words.
    package let dissent: String?
    package let truncated: Bool
    package let usage: Usage
    package let call: CallReference

    package init(
        agent: String, provider: ProviderKey, model: String, round: Int, content: String, confidence: Ratio,
        dissent: String?, truncated: Bool, usage: Usage, call: CallReference
    ) {
        self.agent = agent
        self.provider = provider
        self.model = model
        self.round = round
        self.content = content
        self.confidence = confidence
        self.dissent = dissent
        self.truncated = truncated
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

/// From here on another provider is asked for this call. What the first one said before it failed is no part of the
/// answer; the message that follows names who gave it.
package struct AgentFallback: Hashable, Sendable {
    package let agent: String
    package let round: Int
    package let provider: ProviderKey
    package let model: String
    package let fallbackProvider: ProviderKey
    package let fallbackModel: String
    package let reason: CallFailure.Kind
    /// The attempt that failed.
    package let call: CallReference

    package init(
        agent: String, round: Int, provider: ProviderKey, model: String, fallbackProvider: ProviderKey,
        fallbackModel: String, reason: CallFailure.Kind, call: CallReference
    ) {
        self.agent = agent
        self.round = round
        self.provider = provider
        self.model = model
        self.fallbackProvider = fallbackProvider
        self.fallbackModel = fallbackModel
        self.reason = reason
        self.call = call
    }
}

/// Rounds that were not needed.
package struct EarlyTermination: Hashable, Sendable {
    package enum Source: String, Sendable, CaseIterable { case convergence, votes, budget, adaptive }
    package let round: Int
    package let totalRounds: Int
    package let source: Source
    /// The lowest similarity between consecutive positions, the share that voted to stop, the cost over the budget, or the
    /// leader's share of the votes.
    package let measure: Ratio
    /// Who could not pay for the calls that were due: the debate ends with what it has. Nil when nobody was asked to.
    package let refusedBy: BudgetRefusal?

    package init(
        round: Int, totalRounds: Int, source: Source, measure: Ratio, refusedBy: BudgetRefusal? = nil
    ) {
        self.round = round
        self.totalRounds = totalRounds
        self.source = source
        self.measure = measure
        self.refusedBy = refusedBy
    }
}

/// How similar positions were between the last two rounds.
package struct Convergence: Hashable, Sendable {
    package enum State: String, Sendable { case converged, refining, diverging, unknown }
    package let state: State
    /// The lowest similarity of any agent's position to its previous one.
    package let similarity: Ratio
    /// Each agent's own, in the panel's order; those without an earlier position are left out.
    package let agents: [Agent]

    package struct Agent: Hashable, Sendable {
        package let name: String
        package let state: State
        package let similarity: Ratio
        package init(name: String, state: State, similarity: Ratio) {
            self.name = name
            self.state = state
            self.similarity = similarity
        }
    }

    package init(state: State, similarity: Ratio, agents: [Agent] = []) {
        self.state = state
        self.similarity = similarity
        self.agents = agents
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
    /// The winner's last position, or what the judge decided; all positions under `none`; empty when there is none.
    package let finalAnswer: String
    /// The leader's share of the votes that count: the valid ones, everyone's under unanimous, weights under weighted.
    package let agreement: Ratio
    /// The supporters' mean confidence times the agreement; the judge's own when one decided.
    package let confidence: Ratio
    package let supporting: [String]
    package let dissenting: [Dissent]
    /// Voters that chose nobody, and those whose choice could not be read.
    package let abstained: [String]
    package let malformed: [String]
    /// Candidates whose positions are the same in other words, and who were counted as one; the first stands for all.
    package let merged: [[String]]
    package let judgement: Judgement?
    package let convergence: Convergence

    /// How the judge came to decide, or why none did.
    package struct Judgement: Hashable, Sendable {
        /// Nil when no judge could be had and the votes decided.
        package let judge: String?
        package let dissent: String?
        package init(judge: String?, dissent: String?) {
            self.judge = judge
            self.dissent = dissent
        }
    }

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
        agreement: Ratio, confidence: Ratio, supporting: [String], dissenting: [Dissent], abstained: [String] = [],
        malformed: [String] = [], merged: [[String]] = [], judgement: Judgement? = nil, convergence: Convergence
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
        self.abstained = abstained
        self.malformed = malformed
        self.merged = merged
        self.judgement = judgement
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
    /// Whether debating changed anything; nil when nobody voted, and in logs of the first engine.
    package let insight: DebateInsight?

    /// - Parameter duration: seconds since event 1.
    package init(
        status: DebateStatus, reason: String?, result: String?, totalRounds: Int, roundsUsed: Int,
        consensusReached: Bool, confidence: Ratio, duration: Ratio, cost: MicroUSD, insight: DebateInsight? = nil
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
        self.insight = insight
    }
}

/// The engine's rules have a version: a log names the one it was begun with, and only that one may continue it.
package struct EngineVersion: Hashable, Sendable {
    package let number: Int
    package init(_ number: Int) { self.number = number }
    package static let current = EngineVersion(2)
    /// Versions this program can run: N and N−1.
    package static let supported = [EngineVersion(1), current]

    /// The first with sealed ballots, rounds planned by format, judges, merged choices and a quorum of votes (ADR 0017).
    static let sealedBallots = EngineVersion(2)
}

extension EngineVersion: Comparable {
    package static func < (left: EngineVersion, right: EngineVersion) -> Bool { left.number < right.number }
}

/// Who answers. A closed set: it is a metric label, a settings prefix and part of receipts.
package enum ProviderKey: String, Sendable, CaseIterable, Hashable {
    case anthropic, openai, openrouter, mistral, gemini, xai, local, demo

    /// The key for any spelling that clients use.
    package init?(spelling: String) {
        switch spelling.lowercased() {
        case "anthropic", "anthropic-api", "claude": self = .anthropic
        case "openai", "openai-api", "gpt": self = .openai
        case "openrouter": self = .openrouter
        case "mistral", "mistral-api": self = .mistral
        case "gemini", "google": self = .gemini
        case "xai", "grok": self = .xai
        case "local", "ollama", "lm-studio", "vllm": self = .local
        case "demo": self = .demo
        default: return nil
        }
    }
}

/// What an agent is asked to be.
package enum AgentRole: String, Sendable, CaseIterable, Hashable {
    case proposer, critic, synthesizer, judge, analyst, implementer, planner
    case devilsAdvocate = "devils_advocate"
}

/// One participant. `name` is unique in its debate (`demo-1`, `demo-2`), whatever the provider.
package struct AgentSpec: Hashable, Sendable {
    package let name: String
    package let provider: ProviderKey
    /// The provider's model name.
    package let model: String
    package let role: AgentRole
    package let persona: String?
    /// What its vote counts under `weighted`, greater than 0; settled when the debate is created.
    package let weight: Ratio
    /// Its rating when the debate was created, for `elo_ranked`.
    package let rating: Int

    package static let standardRating = 1500

    package init(
        name: String, provider: ProviderKey, model: String, role: AgentRole = .proposer, persona: String? = nil,
        weight: Ratio = .one, rating: Int = AgentSpec.standardRating
    ) {
        self.name = name
        self.provider = provider
        self.model = model
        self.role = role
        self.persona = persona
        self.weight = weight
        self.rating = rating
    }

    /// The same seat, answered for by somebody else.
    package func answered(by provider: ProviderKey, model: String) -> AgentSpec {
        AgentSpec(
            name: name, provider: provider, model: model, role: role, persona: persona, weight: weight, rating: rating)
    }
}

/// What was asked: everything a machine needs to run the debate, valid by construction.
package struct DebateSpec: Hashable, Sendable {
    package static let topicCharacters = 3...10_000
    package static let contextCharacters = 10_000
    package static let roundsRange = 1...12
    package static let agentsRange = 2...10
    package static let timeoutSecondsRange = 10...86_400
    package static let defaultRounds = 3
    package static let defaultTimeoutSeconds = 1800

    package let topic: String
    package let context: String?
    package let agents: [AgentSpec]
    package let rounds: Int
    package let format: DebateFormat
    package let consensus: ConsensusMode
    /// The share of the votes that the leader needs.
    package let threshold: Ratio
    package let judge: JudgeSelection
    /// Whether rounds end when another one is not expected to pay.
    package let isAdaptive: Bool
    /// Whether the panel is shown what earlier debates concluded, and whether this one's conclusion is kept for later ones.
    package let usesKnowledge: Bool
    /// What chance in this debate is drawn from; made from its id.
    package let seed: Int64
    /// From creation to the end.
    package let timeoutSeconds: Int
    package let budget: MicroUSD?

    /// - Throws: ``ValidationFailure`` with every problem.
    package init(
        topic: String, context: String? = nil, agents: [AgentSpec], rounds: Int = DebateSpec.defaultRounds,
        format: DebateFormat = .light, consensus: ConsensusMode = .majority, threshold: Ratio? = nil,
        judge: JudgeSelection = .random, isAdaptive: Bool = false, usesKnowledge: Bool = true,
        seed: Int64 = 0,
        timeoutSeconds: Int = DebateSpec.defaultTimeoutSeconds,
        budget: MicroUSD? = nil
    ) throws(ValidationFailure) {
        var problems: [FieldProblem] = []
        func require(_ holds: Bool, _ field: String, _ message: String) {
            if !holds { problems.append(FieldProblem(field, message)) }
        }
        require(
            Self.topicCharacters.contains(topic.unicodeScalars.count), "question", "must have 3 to 10000 characters")
        require(
            (context?.unicodeScalars.count ?? 0) <= Self.contextCharacters, "context",
            "must have at most 10000 characters")
        require(Self.roundsRange.contains(rounds), "rounds", "must be from 1 to 12")
        require(Self.agentsRange.contains(agents.count), "agents", "must name 2 to 10 agents")
        require(Set(agents.map(\.name)).count == agents.count, "agents", "names must differ")
        require(agents.allSatisfy { $0.weight > .zero }, "agents", "weights must be greater than 0")
        require(
            threshold.map { $0 == consensus.standardThreshold || consensus.thresholdRange?.contains($0) ?? false }
                ?? true, "threshold", Self.thresholdRule(consensus))
        require(Self.timeoutSecondsRange.contains(timeoutSeconds), "timeout_seconds", "must be from 10 to 86400")
        require(budget.map { $0 > .zero } ?? true, "budget_limit_usd", "must be greater than 0")
        guard problems.isEmpty else { throw ValidationFailure(problems) }
        self.topic = topic
        self.context = context
        self.agents = agents
        self.rounds = rounds
        self.format = format
        self.consensus = consensus
        self.threshold = threshold ?? consensus.standardThreshold
        self.judge = judge
        self.isAdaptive = isAdaptive
        self.usesKnowledge = usesKnowledge
        self.seed = seed
        self.timeoutSeconds = timeoutSeconds
        self.budget = budget
    }

    /// The same debate without what may end it early.
    package func unbounded() throws(ValidationFailure) -> DebateSpec {
        try DebateSpec(
            topic: topic, context: context, agents: agents, rounds: rounds, format: format, consensus: consensus,
            threshold: threshold, judge: judge, isAdaptive: false, usesKnowledge: usesKnowledge, seed: seed,
            timeoutSeconds: timeoutSeconds)
    }

    private static func thresholdRule(_ mode: ConsensusMode) -> String {
        guard let range = mode.thresholdRange else { return "consensus \(mode.rawValue) has none to choose" }
        return "must be from \(range.lowerBound.value) to \(range.upperBound.value) for \(mode.rawValue)"
    }

    /// What the log says when its time is over.
    package var timeout: DebateEvent {
        .timeout(reason: "It took longer than the \(timeoutSeconds) seconds it was given.")
    }

    /// Whether any agent is a built-in demonstration agent; shown wherever the debate is.
    package var usesDemoAgents: Bool { agents.contains { $0.provider == .demo } }
}

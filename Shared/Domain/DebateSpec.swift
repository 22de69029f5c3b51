/// The engine's rules have a version: a log names the one it was begun with, and only that one may continue it.
package struct EngineVersion: Hashable, Sendable {
    package let number: Int
    package init(_ number: Int) { self.number = number }
    package static let current = EngineVersion(1)
    /// Versions this program can run: N and N−1.
    package static let supported = [EngineVersion(1)]
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
}

/// One participant. `name` is unique in its debate (`demo-1`, `demo-2`), whatever the provider.
package struct AgentSpec: Hashable, Sendable {
    package let name: String
    package let provider: ProviderKey
    /// The provider's model name.
    package let model: String
    package let role: AgentRole
    package let persona: String?

    package init(
        name: String, provider: ProviderKey, model: String, role: AgentRole = .proposer, persona: String? = nil
    ) {
        self.name = name
        self.provider = provider
        self.model = model
        self.role = role
        self.persona = persona
    }
}

/// How votes become a decision. The threshold is the share of valid votes that the leader needs.
package enum ConsensusMode: String, Sendable, CaseIterable, Hashable {
    case majority, unanimous

    package var threshold: Ratio {
        switch self {
        case .majority: Ratio(0.6)
        case .unanimous: .one
        }
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
    package let consensus: ConsensusMode
    /// From creation to the end.
    package let timeoutSeconds: Int
    package let budget: MicroUSD?

    /// - Throws: ``ValidationFailure`` with every problem.
    package init(
        topic: String, context: String? = nil, agents: [AgentSpec], rounds: Int = DebateSpec.defaultRounds,
        consensus: ConsensusMode = .majority, timeoutSeconds: Int = DebateSpec.defaultTimeoutSeconds,
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
        require(Self.timeoutSecondsRange.contains(timeoutSeconds), "timeout_seconds", "must be from 10 to 86400")
        require(budget.map { $0 > .zero } ?? true, "budget_limit_usd", "must be greater than 0")
        guard problems.isEmpty else { throw ValidationFailure(problems) }
        self.topic = topic
        self.context = context
        self.agents = agents
        self.rounds = rounds
        self.consensus = consensus
        self.timeoutSeconds = timeoutSeconds
        self.budget = budget
    }

    /// Whether any agent is a built-in demonstration agent; shown wherever the debate is.
    package var usesDemoAgents: Bool { agents.contains { $0.provider == .demo } }
}

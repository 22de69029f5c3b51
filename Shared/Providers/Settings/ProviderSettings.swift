package import Domain
package import Platform

/// Which model providers there are and how they are called: by which names operators set it, and within which bounds.
package struct ProviderSettings: Sendable {
    /// Agents of a panel that nobody named.
    /// Longest total clock: with the runner's tries it must stay below its no-progress limit of 600 s.
    static let totalSecondsRange = 1...180

    /// Configured providers, `demo` included.
    package let endpoints: [ProviderKey: ProviderEndpoint]
    /// Models of all providers, configured or not.
    private let models: [ProviderKey: String]
    /// Longest answer asked of a model, in tokens.
    package let maxTokens: Int
    /// Calls in flight per provider; more wait.
    package let maxInFlight: Int
    /// How long a demonstration agent takes for one answer.
    package let demoLatency: Duration
    /// Whether OpenRouter may be asked for a provider that can not answer.
    package let mayFallBack: Bool
    /// PEM file of authorities to trust instead of the system's.
    package let caFile: String?

    package init(
        endpoints: [ProviderEndpoint], maxInFlight: Int = 32, demoLatency: Duration = .zero, caFile: String? = nil,
        mayFallBack: Bool = true
    ) {
        self.mayFallBack = mayFallBack
        maxTokens = endpoints.map(\.maxTokens).max() ?? ProviderEndpoint.defaultMaxTokens
        self.endpoints = Dictionary(endpoints.map { ($0.provider, $0) }) { first, _ in first }
        models = ProviderDefaults.models.merging(endpoints.map { ($0.provider, $0.model) }) { _, set in set }
        self.maxInFlight = maxInFlight
        self.demoLatency = demoLatency
        self.caFile = caFile
    }

    /// Reads the settings that every executable which runs or creates debates shares.
    package init(reading reader: inout SettingsReader) {
        let deadlines = CallDeadlines(reading: &reader)
        let maxTokens = reader.int(
            "ARAGORA_PROVIDER_MAX_TOKENS", default: ProviderEndpoint.defaultMaxTokens, in: 64...100_000,
            help: "Longest answer asked of a model, in tokens.")
        self.maxTokens = maxTokens
        var endpoints: [ProviderEndpoint] = []
        var models = ProviderDefaults.models
        for provider in ProviderKey.allCases where provider != .demo {
            let names = ProviderNames(provider)
            let model = reader.string(
                names.model, default: ProviderDefaults.models[provider] ?? "",
                help: "The model when a panel names none.")
            models[provider] = model
            let key = reader.secret(names.key, aliases: names.keyAliases, help: names.keyHelp)
            reader.refusePlaceholder(key, names.key)
            let url = reader.string(
                names.baseURL, default: ProviderDefaults.baseURLs[provider] ?? "", help: names.baseURLHelp)
            guard provider == .local ? !url.isEmpty : key != nil else { continue }
            guard let url = BaseURL(url) else {
                reader.report("\(names.baseURL): expected an address that begins with http:// or https://")
                continue
            }
            endpoints.append(
                ProviderEndpoint(
                    provider: provider, baseURL: url, key: key, model: model, maxTokens: maxTokens, deadlines: deadlines
                ))
        }
        let latency = reader.int(
            "ARAGORA_DEMO_LATENCY_MS", default: 0, in: 0...60_000,
            help: "How many milliseconds a demonstration agent takes for one answer.")
        self.endpoints = Dictionary(endpoints.map { ($0.provider, $0) }) { first, _ in first }
        self.models = models
        maxInFlight = reader.int(
            "ARAGORA_PROVIDER_MAX_INFLIGHT", default: 32, in: 1...10_000,
            help: "Calls in flight to one provider, from all processes that share a Redis; more wait.")
        demoLatency = .milliseconds(latency)
        mayFallBack = reader.bool(
            "ARAGORA_PROVIDER_FALLBACK", default: true,
            help:
                "Whether OpenRouter, when it has a key, is asked for a provider whose account is empty, that fails or that times out."
        )
        caFile = reader.optionalString(
            "ARAGORA_PROVIDER_CA_FILE",
            help: "PEM file of the authorities to trust for providers, instead of the system's.")
    }

    /// Calls with another reading's keys from now on.
    ///
    /// - Returns: names of keys whose provider was not there before, which needs a restart.
    package func adopt(_ fresh: ProviderSettings) -> [String] {
        for (provider, endpoint) in fresh.endpoints { endpoints[provider]?.adopt(endpoint) }
        return fresh.configured.filter { endpoints[$0] == nil }.map { ProviderNames($0).key }
    }

    /// The agent with whom a failed one is replaced for a call: the same seat, answered for by OpenRouter. Nil without
    /// its key, and for models that it does not offer.
    package func fallback(for agent: AgentSpec) -> AgentSpec? {
        guard mayFallBack, endpoints[.openrouter] != nil else { return nil }
        let model = agent.model.isEmpty ? defaultModel(of: agent.provider) : agent.model
        return FallbackRoute.model(for: agent.provider, model: model).map { agent.answered(by: .openrouter, model: $0) }
    }

    /// The most that an attempt of a call can cost; nil when its model is free.
    package func worstCost(of call: PlannedCall) -> MicroUSD? {
        PriceBook.reservation(of: call, maxTokens: endpoints[call.agent.provider]?.maxTokens ?? maxTokens)
    }

    /// Providers that can be called, `demo` left out: it always can.
    package var configured: [ProviderKey] { ProviderKey.allCases.filter { endpoints[$0] != nil } }

    package func isConfigured(_ provider: ProviderKey) -> Bool { provider == .demo || endpoints[provider] != nil }

    /// The model an agent of this provider has when nobody named one.
    package func defaultModel(of provider: ProviderKey) -> String { models[provider] ?? provider.rawValue }

    /// Who debates when nobody was named: one agent per configured provider, and at least two. Demonstration agents when
    /// none is configured.
    package func defaultPanel() -> [AgentSpec] {
        guard let first = configured.first else {
            let roles: [AgentRole] = [.proposer, .critic, .synthesizer]
            return roles.enumerated().map { seat(.demo, $0 + 1, role: $1) }
        }
        let panel = configured.prefix(DebateSpec.agentsRange.upperBound).map { seat($0, 1) }
        return panel.count > 1 ? panel : panel + [seat(first, 2, role: .critic, persona: Self.secondPersona)]
    }

    /// How one provider's second agent comes to differ from its first.
    static let secondPersona = "a sceptic who looks for the cheaper way, and for what would have to be true"

    private func seat(
        _ provider: ProviderKey, _ number: Int, role: AgentRole = .proposer, persona: String? = nil
    ) -> AgentSpec {
        AgentSpec(
            name: "\(provider.rawValue)-\(number)", provider: provider, model: defaultModel(of: provider), role: role,
            persona: persona)
    }
}

/// The environment names of one provider.
struct ProviderNames {
    let key: String
    let keyAliases: [String]
    let keyHelp: String
    let baseURL: String
    let baseURLHelp: String
    let model: String

    init(_ provider: ProviderKey) {
        let prefix = provider == .local ? "ARAGORA_LOCAL_LLM" : provider.rawValue.uppercased()
        key = "\(prefix)_API_KEY"
        keyHelp =
            provider == .local
            ? "The local server's key, if it wants one." : "The key; with it the provider can be used."
        baseURL = provider == .local ? "\(prefix)_URL" : "\(prefix)_BASE_URL"
        baseURLHelp =
            provider == .local
            ? "An OpenAI-compatible server: Ollama, vLLM, LM Studio. With it the provider `local` can be used."
            : "Where the provider's API is."
        model = "\(prefix)_MODEL"
        switch provider {
        case .gemini: keyAliases = ["GOOGLE_API_KEY"]
        case .xai: keyAliases = ["GROK_API_KEY"]
        default: keyAliases = []
        }
    }
}

/// What holds when an operator sets nothing.
enum ProviderDefaults {
    static let baseURLs: [ProviderKey: String] = [
        .anthropic: "https://api.anthropic.com", .openai: "https://api.openai.com/v1",
        .openrouter: "https://openrouter.ai/api/v1", .mistral: "https://api.mistral.ai/v1",
        .gemini: "https://generativelanguage.googleapis.com/v1beta", .xai: "https://api.x.ai/v1",
    ]
    static let models: [ProviderKey: String] = [
        .anthropic: "claude-sonnet-5-5", .openai: "gpt-4.1", .openrouter: "deepseek/deepseek-chat-v3.1",
        .mistral: "mistral-large-latest", .gemini: "gemini-2.5-pro", .xai: "grok-4.7", .local: "llama3.1",
        .demo: "demo",
    ]
}

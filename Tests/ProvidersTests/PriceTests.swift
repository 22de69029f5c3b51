import Domain
import Providers
import TestSupport
import Testing

@Suite("Prices and fallbacks")
struct PriceTests {
    @Test("what the table lacks is as dear as the dearest it has, and said to be assumed")
    func unknown() {
        let price = PriceBook.price(provider: .openai, model: "never-heard-of")
        for entry in PriceTable.entries {
            #expect(price.input >= entry.price.input && price.output >= entry.price.output)
        }
        #expect(!PriceBook.knows(provider: .openai, model: "never-heard-of"))
        #expect(PriceBook.knows(provider: .openrouter, model: "anthropic/claude-sonnet-4.5"))
        #expect(PriceBook.knows(provider: .local, model: "whatever"))
    }

    @Test("every default model has a price, and so has what stands in for it")
    func defaults() {
        let settings = ProviderSettings(endpoints: [])
        for provider in ProviderKey.allCases {
            let model = settings.defaultModel(of: provider)
            #expect(PriceBook.knows(provider: provider, model: model), "\(model)")
            if let other = FallbackRoute.model(for: provider, model: model) {
                #expect(PriceBook.knows(provider: .openrouter, model: other), "\(other)")
            }
        }
    }

    @Test("no answer can cost more than its call was reserved for")
    func worst() {
        let call = Calls.planned(topic: String(repeating: "漢", count: 2000))
        let prompt = PromptBuilder.prompt(for: call)
        let bytes = prompt.system.utf8.count + prompt.user.utf8.count
        let most = PriceBook.cost(
            provider: call.agent.provider, model: call.agent.model, inputTokens: bytes, outputTokens: 8192)
        #expect(PriceBook.worstCost(call) >= most)
        #expect(PriceBook.worstCost(Calls.planned(provider: .demo, model: "demo")) == .zero)
    }

    @Test("families are lowercase and listed once, prices are positive")
    func table() {
        #expect(Set(PriceTable.entries.map(\.family)).count == PriceTable.entries.count)
        for entry in PriceTable.entries {
            #expect(entry.family == entry.family.lowercased())
            #expect(entry.price.input > 0 && entry.price.output >= entry.price.input, "\(entry.family)")
        }
    }

    @Test("the table of prices in docs/providers.md is this one")
    func document() throws {
        func dollars(_ amount: Int64) -> String {
            let (whole, rest) = amount.quotientAndRemainder(dividingBy: 1_000_000)
            guard rest > 0 else { return "\(whole)" }
            var digits = String(String(rest + 1_000_000).dropFirst())
            while digits.hasSuffix("0") { digits.removeLast() }
            return "\(whole).\(digits)"
        }
        let rows = PriceTable.entries.map { entry in
            [
                "`\(entry.family)…`", dollars(entry.price.input), dollars(entry.price.output), entry.source.rawValue,
            ]
        }
        let table = GeneratedSection.table(["Model", "Input", "Output", "Source"], rows)
        try GeneratedSection.check(
            "prices", of: "docs/providers.md", is: "Looked through on \(PriceTable.reviewed).\n\n\(table)")
    }

    @Test(
        "models have OpenRouter's names there",
        arguments: [
            (ProviderKey.anthropic, "claude-sonnet-4-5", "anthropic/claude-sonnet-4.5"),
            (.anthropic, "claude-opus-4-1-20250805", "anthropic/claude-opus-4.1"),
            (.anthropic, "claude-3-5-haiku-20241022", "anthropic/claude-3.5-haiku"),
            (.openai, "gpt-4.1", "openai/gpt-4.1"), (.gemini, "models/gemini-2.5-pro", "google/gemini-2.5-pro"),
            (.mistral, "mistral-large-latest", "mistralai/mistral-large"), (.xai, "grok-4", "x-ai/grok-4"),
        ])
    func route(_ provider: ProviderKey, _ model: String, _ expected: String) {
        #expect(FallbackRoute.model(for: provider, model: model) == expected)
    }

    @Test(
        "nobody stands in for a local server, a demonstration agent, or OpenRouter; nor without its key or when forbidden"
    )
    func noRoute() throws {
        for provider in [ProviderKey.local, .demo, .openrouter] {
            #expect(FallbackRoute.model(for: provider, model: "m") == nil)
        }
        let endpoint = ProviderEndpoint(
            provider: .openrouter, baseURL: try #require(BaseURL("http://127.0.0.1:1")), key: nil, model: "m")
        let agent = AgentSpec(name: "claude-1", provider: .anthropic, model: "", role: .critic)
        let found = ProviderSettings(endpoints: [endpoint]).fallback(for: agent)
        #expect(found?.provider == .openrouter && found?.role == .critic && found?.name == "claude-1")
        #expect(found?.model == "anthropic/claude-sonnet-5.5")
        #expect(ProviderSettings(endpoints: []).fallback(for: agent) == nil)
        #expect(ProviderSettings(endpoints: [endpoint], mayFallBack: false).fallback(for: agent) == nil)
    }

    @Test("health falls after three failures in a row and rises after two answers")
    func health() {
        var health = AgentHealth()
        func after(_ results: [Bool]) -> Bool {
            for result in results { health.record(succeeded: result) }
            return health.isHealthy
        }
        #expect(after([false, false, true, false, false]))
        #expect(!after([false]))
        #expect(!after([true, false, true]))
        #expect(after([true]))
    }
}

import Domain
import Platform
import Providers
import Testing

@Suite("Prompts, prices, settings")
struct PureTests {
    @Test("a vote asks for the four lines and lists the candidates in order")
    func vote() {
        let call = Calls.planned(.vote, others: [.init(agent: "b-2", content: "B"), .init(agent: "a-1", content: "A")])
        let prompt = PromptBuilder.prompt(for: call).user
        for line in ["CHOICE:", "CONFIDENCE:", "CONTINUE:", "REASONING:", "- b-2\n- a-1"] {
            #expect(prompt.contains(line))
        }
    }

    @Test("a critique asks for a severity, and a persona is quoted")
    func critique() {
        #expect(
            PromptBuilder.prompt(for: Calls.planned(.critique, others: [.init(agent: "x", content: "X")])).user
                .contains("SEVERITY:"))
    }

    @Test(
        "prices go by family, round up, and take what is unknown for dear",
        arguments: [
            (ProviderKey.anthropic, "claude-sonnet-4-6", 1_000_000, 0, Int64(3_000_000)),
            (.openai, "gpt-4o-mini-2024", 1_000_000, 1_000_000, 750_000),
            (.openrouter, "anthropic/claude-haiku-4-5", 1, 0, 1),
            (.openai, "brand-new", 1_000_000, 0, 30_000_000), (.openai, "gpt-5.99", 1_000_000, 0, 30_000_000),
            (.openrouter, "anthropic/claude-opus-4.5", 1_000_000, 0, 5_000_000),
            (.local, "llama3.1", 1_000_000, 1_000_000, 0), (.demo, "demo", 1_000_000, 1_000_000, 0),
            (.openai, "gpt-4o", -5, -5, 0),
        ])
    func prices(_ provider: ProviderKey, _ model: String, _ input: Int, _ output: Int, _ cost: Int64) {
        #expect(
            PriceBook.cost(provider: provider, model: model, inputTokens: input, outputTokens: output).amount == cost)
    }

    @Test(
        "an answer is cut between characters, at its limit and not before",
        arguments: [
            ("abcd", 4, "abcd", false), ("abcde", 4, "abcd", true), ("aé", 2, "a", true), ("a👨‍👩‍👧", 10, "a", true),
        ])
    func cut(_ text: String, _ limit: Int, _ expected: String, _ truncated: Bool) {
        var sanitizer = AnswerSanitizer(maxBytes: limit)
        #expect(sanitizer.append(text) == expected)
        #expect(sanitizer.isTruncated == truncated)
        #expect(sanitizer.append("more").isEmpty == (truncated || limit == 4))
    }

    @Test("controls are removed, newline and tab stay, bytes that are no UTF-8 are repaired")
    func controls() {
        var sanitizer = AnswerSanitizer()
        #expect(sanitizer.append("a\r\n\tb\u{7F}\u{9B}c\u{0}é©") == "a\n\tbcé©")
        #expect(AnswerSanitizer.text([0x61, 0xFF]) == "a\u{FFFD}")
    }

    private func settings(_ environment: [String: String]) -> (ProviderSettings, SettingsReader) {
        var reader = SettingsReader(lookup: { environment[$0] })
        return (ProviderSettings(reading: &reader), reader)
    }

    @Test("without any key the panel is three demonstration agents")
    func demoPanel() {
        let (settings, reader) = settings([:])
        #expect(settings.configured.isEmpty && reader.problems.isEmpty)
        #expect(settings.defaultPanel().map(\.name) == ["demo-1", "demo-2", "demo-3"])
    }

    @Test("keys, aliases, addresses and models configure providers; secrets do not print")
    func configured() throws {
        let (settings, reader) = settings([
            "ANTHROPIC_API_KEY": "sk-a", "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/", "GROK_API_KEY": "sk-x",
            "GOOGLE_API_KEY": "sk-g", "ARAGORA_LOCAL_LLM_URL": "http://localhost:11434", "ANTHROPIC_MODEL": "claude-x",
            "ARAGORA_PROVIDER_MAX_INFLIGHT": "7", "ARAGORA_DEMO_LATENCY_MS": "20",
        ])
        #expect(reader.problems.isEmpty)
        #expect(settings.configured == [.anthropic, .gemini, .xai, .local])
        #expect(settings.endpoints[.anthropic]?.baseURL.text == "http://127.0.0.1:9")
        #expect(settings.defaultModel(of: .anthropic) == "claude-x")
        #expect(settings.maxInFlight == 7 && settings.demoLatency == .milliseconds(20))
        #expect(settings.defaultPanel().count == 4)
        #expect(!"\(settings)".contains("sk-"))
    }

    @Test("one key makes two seats, and the second has a persona of its own")
    func onePanel() {
        let (settings, _) = settings(["OPENAI_API_KEY": "sk"])
        let panel = settings.defaultPanel()
        #expect(panel.map(\.name) == ["openai-1", "openai-2"])
        #expect(panel[0].persona == nil && panel[1].persona != nil && panel[0].role != panel[1].role)
    }

    @Test("every key has a seat, and no seat is filled up with another of the same", arguments: 2...7)
    func panelOfMany(count: Int) {
        let keys = [
            "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "MISTRAL_API_KEY", "GEMINI_API_KEY",
            "XAI_API_KEY", "ARAGORA_LOCAL_LLM_URL",
        ]
        let values = keys.prefix(count).map { ($0, $0.hasSuffix("URL") ? "http://localhost:1" : "sk") }
        let (settings, _) = settings(Dictionary(uniqueKeysWithValues: values))
        let panel = settings.defaultPanel()
        #expect(panel.count == count && Set(panel.map(\.provider)).count == count)
        #expect(panel.allSatisfy { $0.name == "\($0.provider.rawValue)-1" && $0.persona == nil })
    }

    @Test(
        "a bad address is a problem and configures nothing",
        arguments: ["ftp://x", "localhost:1", "http://", "http://a?b", "http://u@h"])
    func badAddress(_ url: String) {
        let (settings, reader) = settings(["OPENAI_API_KEY": "sk", "OPENAI_BASE_URL": url])
        #expect(reader.problems.count == 1 && settings.configured.isEmpty)
    }
}

extension String {
    func components(of separator: String) -> [Substring] {
        self.split(separator: separator, omittingEmptySubsequences: false)
    }
}

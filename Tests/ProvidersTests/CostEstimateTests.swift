import Domain
import Providers
import Testing

@Suite("Cost estimate")
struct CostEstimateTests {
    private func spec(
        _ agents: [(String, ProviderKey, String)], rounds: Int = 3, format: DebateFormat = .light,
        budget: MicroUSD? = nil, isAdaptive: Bool = false
    ) throws -> DebateSpec {
        try DebateSpec(
            topic: "Use Postgres or MongoDB?",
            agents: agents.map { AgentSpec(name: $0.0, provider: $0.1, model: $0.2) },
            rounds: rounds, format: format, isAdaptive: isAdaptive, budget: budget)
    }

    private let panel: [(String, ProviderKey, String)] = [
        ("a-1", .anthropic, "claude-sonnet-4-5"), ("b-1", .openai, "gpt-4.1"), ("b-2", .openai, "gpt-4.1"),
    ]

    @Test("it counts every call of the debate: three agents, three rounds, five and twice four phases")
    func calls() throws {
        let estimate = CostEstimate(try spec(panel), maxTokens: 8192)
        #expect(estimate.calls == 3 * (5 + 4 + 4))
        #expect(estimate.lines.map(\.model) == ["claude-sonnet-4-5", "gpt-4.1"])
        #expect(estimate.lines.map(\.calls) == [13, 26])
        #expect(estimate.likely > .zero && estimate.likely < estimate.worst)
        #expect(estimate.lines.allSatisfy { !$0.isPriceAssumed })
    }

    @Test("neither a budget nor an adaptive end makes it smaller")
    func bounds() throws {
        let whole = CostEstimate(try spec(panel), maxTokens: 8192)
        let bounded = CostEstimate(try spec(panel, budget: MicroUSD(1), isAdaptive: true), maxTokens: 8192)
        #expect(bounded.calls == whole.calls && bounded.worst == whole.worst)
    }

    @Test("demonstration agents cost nothing, and a model without a price is said to be assumed")
    func prices() throws {
        let free = CostEstimate(try spec([("d-1", .demo, "demo"), ("d-2", .demo, "demo")]), maxTokens: 8192)
        #expect(free.calls == 26 && free.worst == .zero)
        let odd = CostEstimate(try spec([("d-1", .demo, "demo"), ("x-1", .openai, "brand-new")]), maxTokens: 8192)
        #expect(odd.lines.map(\.isPriceAssumed) == [false, true])
    }

    @Test("the format full has its own calls", arguments: [1, 3, 8, 12])
    func full(_ rounds: Int) throws {
        let estimate = CostEstimate(try spec(panel, rounds: rounds, format: .full), maxTokens: 100)
        #expect(estimate.calls >= 3 * rounds && estimate.worst > .zero)
    }
}

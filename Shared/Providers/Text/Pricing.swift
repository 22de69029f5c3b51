package import Domain

/// What tokens cost: list prices per family of models, in millionths of a US dollar per million tokens.
package enum Pricing {
    package struct Rate: Sendable, Hashable {
        package let input: Int64
        package let output: Int64
    }

    /// The price of a call, rounded up. Demonstration and local models are free.
    package static func cost(provider: ProviderKey, model: String, inputTokens: Int, outputTokens: Int) -> MicroUSD {
        let rate = rate(provider: provider, model: model)
        // Far beyond what any model takes, and far below what 64 bits hold.
        let input = Int64(min(max(0, inputTokens), 100_000_000))
        let output = Int64(min(max(0, outputTokens), 100_000_000))
        return MicroUSD((input * rate.input + output * rate.output + 999_999) / 1_000_000)
    }

    /// What a call may cost at most, before it is made: for its reservation.
    package static func reservation(for call: PlannedCall, maxTokens: Int) -> MicroUSD {
        let prompt = PromptBuilder.prompt(for: call)
        // No tokenizer in use gives more than a token per two bytes of prose; unusual scripts may.
        let input = (prompt.system.utf8.count + prompt.user.utf8.count) / 2 + 64
        return cost(provider: call.agent.provider, model: call.agent.model, inputTokens: input, outputTokens: maxTokens)
    }

    package static func rate(provider: ProviderKey, model: String) -> Rate {
        guard provider != .demo, provider != .local else { return Rate(input: 0, output: 0) }
        // OpenRouter and Gemini put a vendor or folder before the name.
        let name = model.lowercased().split(separator: "/").last ?? ""
        let family = families.filter { name.hasPrefix($0.prefix) }.max { $0.prefix.utf8.count < $1.prefix.utf8.count }
        return family.map { Rate(input: $0.input, output: $0.output) } ?? fallback
    }

    /// For models that are not in the table: dear rather than cheap, so that a budget holds.
    static let fallback = Rate(input: 15_000_000, output: 75_000_000)

    private static let families: [(prefix: String, input: Int64, output: Int64)] = [
        ("claude-opus-4-5", 5_000_000, 25_000_000), ("claude-opus", 15_000_000, 75_000_000),
        ("claude-3-opus", 15_000_000, 75_000_000), ("claude-sonnet", 3_000_000, 15_000_000),
        ("claude-3-5-sonnet", 3_000_000, 15_000_000), ("claude-3-7-sonnet", 3_000_000, 15_000_000),
        ("claude-haiku", 1_000_000, 5_000_000), ("claude-3-5-haiku", 800_000, 4_000_000),
        ("claude-3-haiku", 250_000, 1_250_000),
        ("gpt-5", 1_250_000, 10_000_000), ("gpt-5-pro", 15_000_000, 120_000_000), ("gpt-5-mini", 250_000, 2_000_000),
        ("gpt-5-nano", 50_000, 400_000), ("gpt-4.1", 2_000_000, 8_000_000), ("gpt-4.1-mini", 400_000, 1_600_000),
        ("gpt-4.1-nano", 100_000, 400_000), ("gpt-4o", 2_500_000, 10_000_000), ("gpt-4o-mini", 150_000, 600_000),
        ("o3", 2_000_000, 8_000_000), ("o3-mini", 1_100_000, 4_400_000), ("o4-mini", 1_100_000, 4_400_000),
        ("mistral-large", 2_000_000, 6_000_000), ("mistral-medium", 400_000, 2_000_000),
        ("mistral-small", 100_000, 300_000), ("codestral", 300_000, 900_000),
        ("gemini-2.5-pro", 2_500_000, 15_000_000), ("gemini-2.5-flash", 300_000, 2_500_000),
        ("gemini-2.5-flash-lite", 100_000, 400_000), ("gemini-3-pro", 4_000_000, 18_000_000),
        ("grok-4", 6_000_000, 30_000_000), ("grok-4-fast", 400_000, 1_000_000), ("grok-3", 3_000_000, 15_000_000),
        ("grok-3-mini", 300_000, 500_000), ("grok-code-fast", 200_000, 1_500_000),
        ("deepseek", 560_000, 1_680_000), ("qwen", 1_600_000, 6_400_000), ("kimi", 600_000, 2_500_000),
        ("llama", 900_000, 900_000),
    ]
}

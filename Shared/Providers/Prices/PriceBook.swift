package import Domain

/// What tokens cost: list prices per family of models, from ``PriceTable``.
package enum PriceBook {
    /// The price of a call, rounded up. Demonstration and local models are free.
    package static func cost(provider: ProviderKey, model: String, inputTokens: Int, outputTokens: Int) -> MicroUSD {
        let price = price(provider: provider, model: model)
        // Far beyond what any model takes, and far below what 64 bits hold.
        let input = Int64(min(max(0, inputTokens), 100_000_000))
        let output = Int64(min(max(0, outputTokens), 100_000_000))
        return MicroUSD((input * price.input + output * price.output + 999_999) / 1_000_000)
    }

    package static func cost(provider: ProviderKey, model: String, usage: Usage) -> MicroUSD {
        cost(provider: provider, model: model, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens)
    }

    /// What one attempt of a call may cost at most, before it is made: what its reservation is.
    ///
    /// A token stands for at least one byte in every tokenizer in use, so the prompt's bytes bound its tokens.
    /// - Parameter maxTokens: the longest answer that is asked for; ``ProviderEndpoint/maxTokens``.
    package static func worstCost(_ call: PlannedCall, maxTokens: Int = ProviderEndpoint.defaultMaxTokens) -> MicroUSD {
        worstCost(
            provider: call.agent.provider, model: call.agent.model, prompt: PromptBuilder.prompt(for: call),
            maxTokens: maxTokens)
    }

    /// What a call holds back until its cost is known; nil when its model is free.
    package static func reservation(of call: PlannedCall, maxTokens: Int = ProviderEndpoint.defaultMaxTokens)
        -> MicroUSD?
    {
        isFree(call.agent.provider) ? nil : worstCost(call, maxTokens: maxTokens)
    }

    static func worstCost(provider: ProviderKey, model: String, prompt: Prompt, maxTokens: Int) -> MicroUSD {
        cost(
            provider: provider, model: model,
            inputTokens: prompt.system.utf8.count + prompt.user.utf8.count + envelopeTokens, outputTokens: maxTokens)
    }

    /// Tokens that a provider adds around a prompt, generously.
    static let envelopeTokens = 64

    /// Whether the table has a price for the model. What it has not is taken for as dear as the dearest it has, and
    /// marked so wherever its cost is recorded.
    package static func knows(provider: ProviderKey, model: String) -> Bool {
        isFree(provider) || entry(model) != nil
    }

    /// Whether its price was read from the provider, or two lists agree on it.
    package static func isVerified(provider: ProviderKey, model: String) -> Bool {
        isFree(provider) || entry(model)?.source.isVerified == true
    }

    /// Whether nothing is paid per token.
    package static func isFree(_ provider: ProviderKey) -> Bool { provider == .demo || provider == .local }

    /// Millionths of a US dollar per million tokens.
    package static func price(provider: ProviderKey, model: String) -> PriceTable.Price {
        if isFree(provider) { return PriceTable.Price(input: 0, output: 0) }
        return entry(model)?.price ?? PriceTable.dearest
    }

    private static func entry(_ model: String) -> PriceTable.Entry? {
        // OpenRouter and Gemini put a vendor or folder before the name.
        let bare = model.lowercased().split(separator: "/").last ?? ""
        // OpenRouter writes Anthropic's versions with a point.
        let name = bare.hasPrefix("claude") ? Substring(bare.map { $0 == "." ? "-" : $0 }) : bare
        return PriceTable.entries.filter { $0.covers(name) }
            .max { $0.family.utf8.count < $1.family.utf8.count }
    }
}

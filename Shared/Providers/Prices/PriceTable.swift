/// List prices of models, as dated data: what a figure was taken from and when. Cached, batch and regional prices are
/// not in it; where a provider has tiers, the dearer one that our prompts can reach stands here.
package enum PriceTable {
    /// Millionths of a US dollar per million tokens.
    package struct Price: Sendable, Hashable {
        package let input: Int64
        package let output: Int64
    }

    /// Where a figure is from.
    package enum Source: String, Sendable, CaseIterable {
        /// docs.anthropic.com/en/docs/about-claude/pricing, read from a copy of 2025.
        case anthropicPage = "provider's price page, copy of 2025"
        /// Two lists that others publish say the same: one of 2026-03, and the one of ``list``.
        case agreed = "two published lists agree (2026-03; litellm 1.106.2)"
        /// `model_prices_and_context_window_backup.json` in the PyPI package `litellm` 1.106.2, as of the review.
        case list = "litellm 1.106.2 (PyPI)"
        /// Lists that others publish. Check before budgets rely on it.
        case published = "published lists, 2026-03; unverified"
        /// Not found in a list. Check before budgets rely on it.
        case estimated = "estimate; unverified"

        /// Whether the provider itself or two lists say so.
        package var isVerified: Bool { self == .anthropicPage || self == .agreed }
    }

    package struct Entry: Sendable, Hashable {
        /// What the model's name begins with, lowercase, without the vendor; the longest that fits counts.
        package let family: String
        package let price: Price
        package let source: Source

        /// Whether a model is of the family. A number that goes on (`gpt-5` and `gpt-5.7`) names another one.
        func covers(_ model: Substring) -> Bool {
            guard model.hasPrefix(family) else { return false }
            guard let next = model.dropFirst(family.count).first, family.last?.isNumber == true else { return true }
            return next != "." && !next.isNumber
        }
    }

    /// When somebody last looked through the table.
    package static let reviewed = "2026-11-21"

    /// For models that are not in the table.
    package static let dearest = Price(
        input: entries.map(\.price.input).max() ?? 0, output: entries.map(\.price.output).max() ?? 0)

    package static let entries: [Entry] = [
        of("claude-opus", 15, 75, .anthropicPage),
        of("claude-3-opus", 15, 75, .anthropicPage),
        of("claude-sonnet", 3, 15, .anthropicPage),
        of("claude-3-5-sonnet", 3, 15, .anthropicPage),
        of("claude-3-7-sonnet", 3, 15, .anthropicPage),
        of("claude-3-5-haiku", 0.8, 4, .anthropicPage),
        of("claude-3-haiku", 0.25, 1.25, .anthropicPage),
        of("claude-opus-4-5", 5, 25, .agreed),
        of("claude-opus-4-6", 5, 25, .agreed),
        of("claude-opus-4-7", 5, 25, .list),
        of("claude-opus-4-8", 5, 25, .list),
        of("claude-opus-5", 5, 25, .list),
        of("claude-opus-5-5", 4, 20, .list),
        of("claude-sonnet-4-5", 3, 15, .agreed),
        of("claude-sonnet-4-6", 3, 15, .agreed),
        of("claude-sonnet-5", 2, 10, .list),
        of("claude-haiku", 1, 5, .agreed),
        of("claude-fable-5", 10, 50, .list),
        of("claude-mythos-5", 10, 50, .list),
        of("gpt-4.1", 2, 8, .agreed),
        of("gpt-4.1-mini", 0.4, 1.6, .agreed),
        of("gpt-4.1-nano", 0.1, 0.4, .agreed),
        of("gpt-4o", 2.5, 10, .agreed),
        of("gpt-4o-mini", 0.15, 0.6, .agreed),
        of("gpt-5", 1.25, 10, .list),
        of("gpt-5-pro", 15, 120, .list),
        of("gpt-5-mini", 0.25, 2, .list),
        of("gpt-5-nano", 0.05, 0.4, .list),
        of("gpt-5.1", 1.25, 10, .list),
        of("gpt-5.2", 1.75, 14, .list),
        of("gpt-5.2-pro", 21, 168, .list),
        of("gpt-5.3", 1.75, 14, .list),
        of("gpt-5.4", 2.5, 15, .list),
        of("gpt-5.4-pro", 30, 180, .list),
        of("gpt-5.4-mini", 0.75, 4.5, .list),
        of("gpt-5.4-nano", 0.2, 1.25, .list),
        of("gpt-5.5", 5, 30, .list),
        of("gpt-5.5-pro", 30, 180, .list),
        of("gpt-5.5-cyber", 12.5, 75, .list),
        of("gpt-5.6", 4, 20, .list),
        of("gpt-5.6-terra", 2, 12, .list),
        of("gpt-5.6-luna", 0.2, 1.2, .list),
        of("gpt-5.6-cyber", 12.5, 75, .list),
        of("gpt-6-astra", 10, 50, .list),
        of("gpt-6-sol", 2, 10, .list),
        of("gpt-6-luna", 0.1, 0.5, .list),
        of("gpt-6.1-sol", 2, 10, .list),
        of("o3", 2, 8, .list),
        of("o3-pro", 20, 80, .list),
        of("o3-mini", 1.1, 4.4, .agreed),
        of("o4-mini", 1.1, 4.4, .agreed),
        of("mistral-large", 2, 6, .estimated),
        of("mistral-large-latest", 0.5, 1.5, .list),
        of("mistral-large-2512", 0.5, 1.5, .list),
        of("mistral-large-3", 0.5, 1.5, .list),
        of("mistral-large-4", 0.68, 2.09, .list),
        of("mistral-medium", 1.5, 7.5, .list),
        of("mistral-small", 0.15, 0.6, .list),
        of("magistral-medium", 1.5, 7.5, .list),
        of("magistral-small", 0.15, 0.6, .list),
        of("ministral", 0.2, 0.2, .list),
        of("codestral", 0.3, 0.9, .list),
        of("devstral", 0.4, 2, .list),
        of("gemini-2.5-pro", 2.5, 15, .list),
        of("gemini-2.5-flash", 0.3, 2.5, .list),
        of("gemini-2.5-flash-lite", 0.1, 0.4, .list),
        of("gemini-3-pro", 4, 18, .estimated),
        of("gemini-3-flash", 0.5, 3, .list),
        of("gemini-3.1-pro", 4, 18, .list),
        of("gemini-3.1-flash-lite", 0.25, 1.5, .list),
        of("gemini-3.5-flash", 1.5, 9, .list),
        of("gemini-3.5-flash-lite", 0.3, 2.5, .list),
        of("gemini-3.6-flash", 0.75, 3.75, .list),
        of("gemini-3.7-flash", 0.75, 3.75, .list),
        of("gemini-3.8-flash", 0.75, 3.75, .list),
        of("gemini-4-argon", 2, 10, .list),
        of("grok-3", 3, 15, .published),
        of("grok-3-mini", 0.3, 0.5, .published),
        of("grok-4", 6, 30, .estimated),
        of("grok-4-fast", 0.4, 1, .estimated),
        of("grok-4.20", 2.5, 5, .list),
        of("grok-4.3", 2.5, 5, .list),
        of("grok-4.5", 4, 12, .list),
        of("grok-4.6", 4, 12, .list),
        of("grok-4.7", 4, 12, .list),
        of("grok-code-fast", 2, 4, .list),
        of("deepseek", 0.56, 2.19, .published),
        of("deepseek-v4-flash", 0.3, 1.2, .list),
        of("deepseek-v4-pro", 1.32, 3.96, .list),
        of("qwen", 1.6, 6.4, .estimated),
        of("kimi", 0.6, 2.5, .estimated),
        of("kimi-k3", 3, 15, .list),
        of("llama", 0.9, 0.9, .estimated),
    ]

    /// - Parameters: US dollars per million tokens.
    private static func of(_ family: String, _ input: Double, _ output: Double, _ source: Source) -> Entry {
        Entry(
            family: family,
            price: Price(input: Int64((input * 1e6).rounded()), output: Int64((output * 1e6).rounded())),
            source: source)
    }
}

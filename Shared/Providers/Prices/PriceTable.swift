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
        /// Lists that others publish; several agree. Check before budgets rely on it.
        case published = "published lists, 2026-03; unverified"
        /// Not found in a list. Check before budgets rely on it.
        case estimated = "estimate; unverified"

        package var isVerified: Bool { self == .anthropicPage }
    }

    package struct Entry: Sendable, Hashable {
        /// What the model's name begins with, lowercase, without the vendor; the longest that fits counts.
        package let family: String
        package let price: Price
        package let source: Source
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
        of("claude-opus-4-5", 5, 25, .published),
        of("claude-opus-4-6", 5, 25, .published),
        of("claude-sonnet-4-5", 3, 15, .published),
        of("claude-sonnet-4-6", 3, 15, .published),
        of("claude-sonnet-5", 3, 15, .estimated),
        of("claude-haiku", 1, 5, .published),
        of("gpt-5", 1.25, 10, .estimated),
        of("gpt-5-pro", 15, 120, .estimated),
        of("gpt-5-mini", 0.25, 2, .estimated),
        of("gpt-5-nano", 0.05, 0.4, .estimated),
        of("gpt-4.1", 2, 8, .published),
        of("gpt-4.1-mini", 0.4, 1.6, .published),
        of("gpt-4.1-nano", 0.1, 0.4, .published),
        of("gpt-4o", 2.5, 10, .published),
        of("gpt-4o-mini", 0.15, 0.6, .published),
        of("o3", 10, 40, .published),
        of("o3-mini", 1.1, 4.4, .published),
        of("o4-mini", 1.1, 4.4, .published),
        of("mistral-large", 2, 6, .estimated),
        of("mistral-medium", 0.4, 2, .estimated),
        of("mistral-small", 0.1, 0.3, .published),
        of("codestral", 0.3, 0.9, .estimated),
        of("gemini-2.5-pro", 2.5, 15, .estimated),
        of("gemini-2.5-flash", 0.3, 3.5, .published),
        of("gemini-2.5-flash-lite", 0.1, 0.4, .estimated),
        of("gemini-3-pro", 4, 18, .estimated),
        of("grok-4", 6, 30, .estimated),
        of("grok-4-fast", 0.4, 1, .estimated),
        of("grok-3", 3, 15, .published),
        of("grok-3-mini", 0.3, 0.5, .published),
        of("grok-code-fast", 0.2, 1.5, .estimated),
        of("deepseek", 0.56, 2.19, .published),
        of("qwen", 1.6, 6.4, .estimated),
        of("kimi", 0.6, 2.5, .estimated),
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

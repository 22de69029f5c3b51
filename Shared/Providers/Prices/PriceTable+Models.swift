package import Domain

extension PriceTable.Entry {
    /// Who sells it under this name; nil for models that only others host.
    package var provider: ProviderKey? {
        let makers: [(start: String, provider: ProviderKey)] = [
            ("claude", .anthropic), ("gpt-", .openai), ("o3", .openai), ("o4", .openai), ("gemini-", .gemini),
            ("grok-", .xai), ("mistral-", .mistral), ("magistral-", .mistral), ("ministral", .mistral),
            ("codestral", .mistral), ("devstral", .mistral),
        ]
        return makers.first { family.hasPrefix($0.start) }?.provider
    }

    /// Whether the family's name is one that can be asked for, rather than the beginning of several: it has a version.
    package var isModel: Bool { family.contains(where: \.isNumber) || family.hasSuffix("-latest") }
}

extension PriceTable {
    /// What can be suggested to somebody who chooses a model of this provider, in the table's order.
    package static func models(of provider: ProviderKey) -> [Entry] {
        entries.filter { $0.provider == provider && $0.isModel }
    }
}

package import Domain

/// `/api/models`: what the configured providers can be asked for, and at which price.
package enum ModelBody {
    /// - Parameters:
    ///   - input: micro-dollars per million tokens, as of `output`.
    ///   - isVerified: whether the price was read from the provider, or two lists agree on it.
    package static func row(
        _ provider: ProviderKey, model: String, input: Int64, output: Int64, isVerified: Bool, isKnown: Bool,
        isDefault: Bool
    ) -> JSONValue {
        [
            "provider": .string(provider.rawValue), "model": .string(model),
            "input_usd_per_million": .fraction(Double(input) / 1e6),
            "output_usd_per_million": .fraction(Double(output) / 1e6), "price_verified": .bool(isVerified),
            "price_assumed": .bool(!isKnown), "default": .bool(isDefault),
        ]
    }

    package static func page(_ rows: [JSONValue], reviewed: String) -> JSONValue {
        PageBody.make(
            "models", items: rows, total: rows.count, limit: rows.count, offset: 0,
            extra: [("prices_reviewed", .string(reviewed))])
    }
}

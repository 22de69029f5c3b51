package import Domain

/// Who answers for a provider that can not: OpenRouter, with the same model under its name there.
package enum FallbackRoute {
    /// - Returns: nil where there is nothing to map: demonstration agents, a local server (what stays in the house does
    ///   not leave it because a process crashed), and OpenRouter itself.
    package static func model(for provider: ProviderKey, model: String) -> String? {
        let name = String(model.lowercased().split(separator: "/").last ?? "")
        guard !name.isEmpty else { return nil }
        switch provider {
        case .anthropic: return "anthropic/\(dotted(undated(name)))"
        case .openai: return "openai/\(name)"
        case .gemini: return "google/\(name)"
        case .mistral: return "mistralai/\(name.hasSuffix("-latest") ? String(name.dropLast(7)) : name)"
        case .xai: return "x-ai/\(name)"
        case .openrouter, .local, .demo: return nil
        }
    }

    /// `claude-opus-4-1-20250805` → `claude-opus-4-1`.
    private static func undated(_ name: String) -> String {
        let parts = name.split(separator: "-")
        guard let last = parts.last, last.count == 8, last.allSatisfy(\.isNumber) else { return name }
        return parts.dropLast().joined(separator: "-")
    }

    /// `claude-sonnet-4-5` → `claude-sonnet-4.5`: OpenRouter writes versions with a point.
    private static func dotted(_ name: String) -> String {
        let parts = name.split(separator: "-").map(String.init)
        return parts.dropFirst().reduce(parts.first ?? "") { text, part in
            let isVersion = part.count == 1 && part.allSatisfy(\.isNumber)
            let follows = text.last?.isNumber == true && !text.contains(".")
            return text + (isVersion && follows ? "." : "-") + part
        }
    }
}

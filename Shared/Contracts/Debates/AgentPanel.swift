package import Domain

/// Settles the panel of a debate from what was wished for.
package enum AgentPanel {
    /// The agents, each with a name of its own: the one it was given, else `<provider>-<n>`.
    ///
    /// One agent alone gets a second instance of itself to debate with.
    /// - Parameter defaultModel: the model of a provider for whom none was named.
    package static func make(from wishes: [AgentWish], defaultModel: (ProviderKey) -> String) -> [AgentSpec] {
        var wishes = wishes
        if wishes.count == 1, let only = wishes.first {
            wishes.append(AgentWish(provider: only.provider, model: only.model, persona: only.persona, role: only.role))
        }
        var taken = Set(wishes.compactMap { $0.name?.lowercased() })
        var counts: [ProviderKey: Int] = [:]
        return wishes.map { wish in
            AgentSpec(
                name: wish.name ?? freeName(wish.provider, &counts, &taken), provider: wish.provider,
                model: wish.model ?? defaultModel(wish.provider), role: wish.role ?? .proposer, persona: wish.persona)
        }
    }

    private static func freeName(
        _ provider: ProviderKey, _ counts: inout [ProviderKey: Int], _ taken: inout Set<String>
    ) -> String {
        while true {
            counts[provider, default: 0] += 1
            let name = "\(provider.rawValue)-\(counts[provider, default: 0])"
            if taken.insert(name).inserted { return name }
        }
    }
}

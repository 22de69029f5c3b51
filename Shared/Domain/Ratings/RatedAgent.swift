/// Whom a rating is about: a provider's model, whatever an agent is called in a debate.
package struct RatedAgent: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let provider: ProviderKey
    /// The one that was asked for; an answer may have come from another.
    package let model: String

    package init(provider: ProviderKey, model: String) {
        self.provider = provider
        self.model = model
    }

    package init(_ agent: AgentSpec) { self.init(provider: agent.provider, model: agent.model) }

    /// `anthropic/claude-…`.
    package var name: String { "\(provider.rawValue)/\(model)" }
    package var description: String { name }
    /// Whether it is a built-in demonstration agent; shown wherever its rating is.
    package var isDemo: Bool { provider == .demo }

    package static func < (left: RatedAgent, right: RatedAgent) -> Bool {
        left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}

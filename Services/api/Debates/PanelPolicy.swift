import Contracts
import Domain
import Providers
import ServiceKit

/// Who debates: the agents a client named, else the default panel of what is configured, else the demonstration agents.
struct PanelPolicy: Sendable {
    let providers: ProviderSettings
    /// Whether an unnamed panel without any key may use the demonstration agents.
    let allowsDemoFallback: Bool

    /// - Throws: ``APIError`` `.noAgents` when a named provider has no key, or none has.
    func agents(for wishes: [AgentWish], _ selection: PanelSelection? = nil) throws -> [AgentSpec] {
        let configured = ProviderKey.allCases.filter(providers.isConfigured)
        if let missing = wishes.map(\.provider).first(where: { !providers.isConfigured($0) }) {
            throw APIError(
                .noAgents, "agents: \(missing.rawValue) is not configured",
                suggestion:
                    "set its API key, or name another provider: \(configured.map(\.rawValue).joined(separator: ", "))")
        }
        if !wishes.isEmpty { return AgentPanel.make(from: wishes, defaultModel: providers.defaultModel(of:)) }
        let panel = providers.defaultPanel()
        guard allowsDemoFallback || !panel.contains(where: { $0.provider == .demo }) else {
            throw APIError(
                .noAgents, "no AI provider is configured",
                suggestion:
                    "set ANTHROPIC_API_KEY or another provider's key, name \"demo\" agents, or set ARAGORA_DEMO_FALLBACK=true"
            )
        }
        return Self.resized(panel, to: selection?.count(standard: panel.count) ?? panel.count, providers)
    }

    /// A panel of so many, who take turns in providing another agent.
    private static func resized(_ panel: [AgentSpec], to count: Int, _ providers: ProviderSettings) -> [AgentSpec] {
        guard count != panel.count else { return panel }
        let wishes = (0..<count).map { index in
            let agent = panel[index % panel.count]
            return AgentWish(provider: agent.provider, model: agent.model, persona: agent.persona)
        }
        return AgentPanel.make(from: wishes, defaultModel: providers.defaultModel(of:))
    }
}

import Contracts
import Domain
import HTTP
import Providers

/// What a debate would cost, before anybody is asked; stores nothing. `POST /api/debates/estimate` takes what a create
/// takes, `GET /api/debates/estimate-cost` numbers and names of models.
struct EstimateHandler: Sendable {
    let panel: PanelPolicy

    func handle(_ request: Request, _ context: RequestContext) async throws -> Response {
        let input = try CreateDebateRequest.parse(request.body)
        let spec = try input.spec(panel: try panel.agents(for: input.agents, input.selection), seed: 0)
        return answer(spec)
    }

    func numbers(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let count = query.int("num_agents", default: 3, in: DebateSpec.agentsRange)
        let rounds = query.int("num_rounds", default: 9, in: DebateSpec.roundsRange)
        let names = (query.text("model_types", maxCharacters: 1024) ?? "").split(separator: ",").map {
            $0.trimmingPrefix(while: \.isWhitespace).lowercased()
        }.filter { !$0.isEmpty }
        try query.finish()
        let models = names.isEmpty ? try panel.agents(for: []).map { ($0.provider, $0.model) } : names.map(model)
        let agents = (0..<count).map { index in
            let (provider, model) = models[index % models.count]
            return AgentSpec(name: "agent-\(index + 1)", provider: provider, model: model)
        }
        return answer(try DebateSpec(topic: Self.question, agents: agents, rounds: rounds))
    }

    /// Stands for a question of ordinary length.
    private static let question = String(repeating: "What shall we do? ", count: 10)

    /// A provider's name, `provider|model` as panels have it, or a model's name, from which its maker is guessed.
    private func model(_ name: String) -> (ProviderKey, String) {
        let parts = name.split(separator: "|", maxSplits: 1).map(String.init)
        if let provider = ProviderKey(spelling: parts[0]) {
            return (provider, parts.count > 1 ? parts[1] : panel.providers.defaultModel(of: provider))
        }
        let maker = Self.makers.first { name.hasPrefix($0.prefix) }?.provider ?? .openrouter
        return (maker, name)
    }

    private static let makers: [(prefix: String, provider: ProviderKey)] = [
        ("claude", .anthropic), ("gpt", .openai), ("o1", .openai), ("o3", .openai), ("o4", .openai),
        ("gemini", .gemini),
        ("mistral", .mistral), ("codestral", .mistral), ("grok", .xai),
    ]

    private func answer(_ spec: DebateSpec) -> Response {
        let estimate = CostEstimate(spec, maxTokens: panel.providers.maxTokens)
        let lines = estimate.lines.map { line in
            EstimateBody.Line(
                provider: line.provider, model: line.model, calls: line.calls, inputTokens: line.inputTokens,
                outputTokens: line.outputTokens, likely: line.likely,
                likelyInput: line.likelyInput, worst: line.worst,
                isPriceAssumed: line.isPriceAssumed)
        }
        return .json(CanonicalJSON.encode(EstimateBody.encode(lines, spec: spec, pricesReviewed: PriceTable.reviewed)))
    }
}

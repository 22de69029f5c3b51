import Contracts
import Domain
import HTTP
import Providers

/// `POST /api/debates/estimate`: takes what a create takes, asks nobody, stores nothing, and says what it would cost.
struct EstimateHandler: Sendable {
    let panel: PanelPolicy

    func handle(_ request: Request, _ context: RequestContext) async throws -> Response {
        let input = try CreateDebateRequest.parse(request.body)
        let spec = try input.spec(panel: try panel.agents(for: input.agents), seed: 0)
        let estimate = CostEstimate(spec, maxTokens: panel.providers.maxTokens)
        let lines = estimate.lines.map { line in
            EstimateBody.Line(
                provider: line.provider, model: line.model, calls: line.calls, inputTokens: line.inputTokens,
                outputTokens: line.outputTokens, likely: line.likely, worst: line.worst,
                isPriceAssumed: line.isPriceAssumed)
        }
        return .json(CanonicalJSON.encode(EstimateBody.encode(lines, spec: spec, pricesReviewed: PriceTable.reviewed)))
    }
}

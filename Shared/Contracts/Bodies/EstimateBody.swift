package import Domain

/// What a debate would cost: the answer to `POST /api/v1/debates/estimate`.
package enum EstimateBody {
    /// One model's share.
    package struct Line: Sendable {
        package let provider: ProviderKey
        package let model: String
        package let calls: Int
        package let inputTokens: Int
        package let outputTokens: Int
        package let likely: MicroUSD
        /// What of `likely` is for reading.
        package let likelyInput: MicroUSD
        package let worst: MicroUSD
        package let isPriceAssumed: Bool

        package init(
            provider: ProviderKey, model: String, calls: Int, inputTokens: Int, outputTokens: Int, likely: MicroUSD,
            likelyInput: MicroUSD, worst: MicroUSD, isPriceAssumed: Bool
        ) {
            self.provider = provider
            self.model = model
            self.calls = calls
            self.inputTokens = inputTokens
            self.outputTokens = outputTokens
            self.likely = likely
            self.likelyInput = likelyInput
            self.worst = worst
            self.isPriceAssumed = isPriceAssumed
        }
    }

    package static func encode(_ lines: [Line], spec: DebateSpec, pricesReviewed: String) -> JSONValue {
        let likely = lines.reduce(MicroUSD.zero) { $0 + $1.likely }
        let worst = lines.reduce(MicroUSD.zero) { $0 + $1.worst }
        return [
            "num_agents": .int(Int64(spec.agents.count)), "num_rounds": .int(Int64(spec.rounds)),
            "calls": .int(Int64(lines.reduce(0) { $0 + $1.calls })), "total_estimated_cost_usd": dollars(likely),
            "worst_cost_usd": dollars(worst),
            "within_budget": spec.budget.map { .bool(!($0 < worst)) } ?? .null,
            "breakdown_by_model": .array(lines.map(json)), "prices_reviewed": .string(pricesReviewed),
            "assumptions": .strings([
                "every round is held and every call is answered at its first attempt",
                "estimated: answers of 600 tokens; worst: prompts and answers as long as may be",
                "list prices; a model without one is taken for as dear as the dearest known",
            ]),
        ]
    }

    private static func json(_ line: Line) -> JSONValue {
        [
            "provider": .string(line.provider.rawValue), "model": .string(line.model), "calls": .int(Int64(line.calls)),
            "estimated_input_tokens": .int(Int64(line.inputTokens)),
            "estimated_output_tokens": .int(Int64(line.outputTokens)), "input_cost_usd": dollars(line.likelyInput),
            "output_cost_usd": dollars(MicroUSD(line.likely.amount - line.likelyInput.amount)),
            "subtotal_usd": dollars(line.likely),
            "worst_usd": dollars(line.worst), "price_assumed": .bool(line.isPriceAssumed),
        ]
    }

    /// Whole micro-dollars, as a number of dollars.
    private static func dollars(_ amount: MicroUSD) -> JSONValue { .double(Double(amount.amount) / 1_000_000) }
}

package import Domain

/// What came of debates, and what models were asked.
package enum StatisticsBody {
    /// `/debates/stats` and `/debates/statistics`.
    package static func debates(
        since: Timestamp, byStatus: [DebateStatus: Int], byConsensus: [ConsensusMode: Int], agreed: Int, demo: Int,
        confidence: Ratio?, rounds: Ratio?, duration: Ratio?, cost: MicroUSD
    ) -> JSONValue {
        let completed = byStatus[.completed] ?? 0
        let open = DebateStatus.allCases.filter { !$0.isTerminal }.reduce(0) { $0 + (byStatus[$1] ?? 0) }
        return [
            "since": .string(since.iso8601), "total": .int(Int64(byStatus.values.reduce(0, +))),
            "active": .int(Int64(open)), "completed": .int(Int64(completed)),
            "by_status": counts(DebateStatus.allCases.map { ($0.clientText, byStatus[$0] ?? 0) }),
            "by_consensus": counts(ConsensusMode.allCases.map { ($0.rawValue, byConsensus[$0] ?? 0) }),
            "consensus_reached": .int(Int64(agreed)),
            "consensus_rate": completed == 0 ? .null : .ratio(Ratio(agreed, of: completed)),
            "average_confidence": .optional(confidence), "average_rounds": .optional(rounds),
            "average_duration_seconds": .optional(duration),
            "total_cost_usd": .fraction(Double(cost.amount) / 1e6), "demo": .int(Int64(demo)),
        ]
    }

    /// One model of `/debates/stats/agents`.
    package static func model(
        provider: ProviderKey, model: String, debates: Int, calls: Int, failures: Int, usage: Usage, latency: Int?
    ) -> JSONValue {
        [
            "name": .string("\(provider.rawValue)/\(model)"), "provider": .string(provider.rawValue),
            "model": .string(model), "debates": .int(Int64(debates)), "calls": .int(Int64(calls)),
            "failures": .int(Int64(failures)), "success_rate": .ratio(Ratio(calls - failures, of: calls)),
            "tokens_in": .int(Int64(usage.inputTokens)), "tokens_out": .int(Int64(usage.outputTokens)),
            "cost_usd": .fraction(Double(usage.cost.amount) / 1e6), "average_latency_ms": .optional(latency),
        ]
    }

    private static func counts(_ values: [(String, Int)]) -> JSONValue {
        .object(JSONObject(values.map { ($0.0, .int(Int64($0.1))) }))
    }
}

package import Domain

/// Answers about the installation's work: its queue, its costs, its state.
package enum OperationsBody {
    /// `/debates/queue/status`.
    package static func queue(waiting: Int, running: Int, paused: Int, workers: Int, capacity: Int, dead: Int?)
        -> JSONValue
    {
        [
            "active": .bool(workers > 0), "depth": .int(Int64(waiting)), "pending": .int(Int64(waiting)),
            "running": .int(Int64(running)), "paused": .int(Int64(paused)), "workers": .int(Int64(workers)),
            "capacity": .int(Int64(capacity)), "dlq": dead.map { .int(Int64($0)) } ?? .null,
        ]
    }

    /// `/costs`: flat, and again under `data`, which the official client reads.
    package static func costs(_ debate: DebateID, _ agents: [AgentCost]) -> JSONValue {
        let flat: [(String, JSONValue)] = [
            ("debate_id", .string(debate.text)),
            ("total_cost_usd", .fraction(agents.reduce(0) { $0 + $1.costUSD })),
            ("total_tokens_in", .int(agents.reduce(0) { $0 + Int64($1.tokensIn) })),
            ("total_tokens_out", .int(agents.reduce(0) { $0 + Int64($1.tokensOut) })),
            ("unknown_calls", .int(agents.reduce(0) { $0 + Int64($1.unknown) })),
            ("cost_by_agent", .object(JSONObject(agents.map { ($0.agent, $0.json) }))),
        ]
        return .object(JSONObject(flat + [("data", .object(JSONObject(flat)))]))
    }

    /// What one agent's calls cost.
    package struct AgentCost: Sendable {
        package let agent: String
        package let provider: ProviderKey
        package let calls: Int
        package let failures: Int
        package let unknown: Int
        package let tokensIn: Int
        package let tokensOut: Int
        package let costUSD: Double

        package init(
            agent: String, provider: ProviderKey, calls: Int, failures: Int, unknown: Int, tokensIn: Int,
            tokensOut: Int,
            costUSD: Double
        ) {
            self.agent = agent
            self.provider = provider
            self.calls = calls
            self.failures = failures
            self.unknown = unknown
            self.tokensIn = tokensIn
            self.tokensOut = tokensOut
            self.costUSD = costUSD
        }

        var json: JSONValue {
            [
                "provider": .string(provider.rawValue), "calls": .int(Int64(calls)), "failures": .int(Int64(failures)),
                "unknown": .int(Int64(unknown)), "tokens_in": .int(Int64(tokensIn)),
                "tokens_out": .int(Int64(tokensOut)),
                "cost_usd": .fraction(costUSD),
            ]
        }
    }

    /// `/status`.
    package static func status(
        isOperational: Bool, components: [HealthBody.Check], uptimeSeconds: Double, timestamp: String, version: String
    ) -> JSONValue {
        [
            "status": .string(isOperational ? "operational" : "degraded"),
            "message": .string(isOperational ? "All systems operational" : "Some components are degraded"),
            "version": .string(version), "uptime_seconds": .fraction(uptimeSeconds),
            "uptime_formatted": .string(
                "\(Int(uptimeSeconds) / 3600)h \(Int(uptimeSeconds) / 60 % 60)m \(Int(uptimeSeconds) % 60)s"),
            "timestamp": .string(timestamp),
            "components": .array(
                components.map {
                    [
                        "id": .string($0.name), "name": .string($0.name),
                        "status": .string($0.isHealthy ? "operational" : "degraded"),
                        "response_time_ms": .fraction($0.responseMilliseconds), "message": .string($0.message),
                    ]
                }),
        ]
    }
}

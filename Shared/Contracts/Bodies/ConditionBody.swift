package import Domain

/// How the installation is doing, for those who look after it (contract §6).
package enum ConditionBody {
    /// One provider's breaker.
    package struct Breaker: Sendable {
        package let name: String
        package let status: String
        package let failures: Int
        package let threshold: Int
        package let cooldownSeconds: Double
        package let cooldownRemaining: Double
        package let pausedSeconds: Double
        package let inFlight: Int
        package let isHealthy: Bool

        package init(
            name: String, status: String, failures: Int, threshold: Int, cooldownSeconds: Double,
            cooldownRemaining: Double, pausedSeconds: Double, inFlight: Int, isHealthy: Bool
        ) {
            self.name = name
            self.status = status
            self.failures = failures
            self.threshold = threshold
            self.cooldownSeconds = cooldownSeconds
            self.cooldownRemaining = cooldownRemaining
            self.pausedSeconds = pausedSeconds
            self.inFlight = inFlight
            self.isHealthy = isHealthy
        }

        var json: JSONValue {
            [
                "status": .string(status), "failures": .int(Int64(failures)),
                "failure_threshold": .int(Int64(threshold)), "cooldown_seconds": .fraction(cooldownSeconds),
                "cooldown_remaining": .fraction(cooldownRemaining), "paused_seconds": .fraction(pausedSeconds),
                "in_flight": .int(Int64(inFlight)), "healthy": .bool(isHealthy),
            ]
        }
    }

    /// `/api/circuit-breakers` and `/api/health/circuits`.
    package static func breakers(_ breakers: [Breaker], at time: Timestamp) -> JSONValue {
        func count(_ status: String) -> JSONValue { .int(Int64(breakers.count { $0.status == status })) }
        return [
            "timestamp": .string(time.iso8601), "registry_size": .int(Int64(breakers.count)),
            "summary": [
                "total": .int(Int64(breakers.count)), "open": count("open"), "closed": count("closed"),
                "half_open": count("half_open"), "unhealthy": .int(Int64(breakers.count { !$0.isHealthy })),
            ],
            "circuit_breakers": .object(JSONObject(breakers.map { ($0.name, $0.json) })),
        ]
    }

    /// `/api/agents/health`.
    package static func agents(_ breakers: [Breaker], models: [String], at time: Timestamp) -> JSONValue {
        let rows = zip(breakers, models).map { breaker, model -> JSONValue in
            .object(
                JSONObject(
                    [
                        ("name", .string(breaker.name)), ("provider", .string(breaker.name)), ("model", .string(model)),
                        ("circuit_breaker", .string(breaker.status)),
                    ] + (breaker.json.object?.members.map { ($0.key, $0.value) } ?? []).filter { $0.0 != "status" }
                        + [("status", .string(breaker.isHealthy ? "healthy" : "unhealthy"))]))
        }
        return PageBody.make(
            "agents", items: rows, total: rows.count, limit: rows.count, offset: 0,
            extra: [
                ("healthy", .int(Int64(breakers.count(where: \.isHealthy)))), ("timestamp", .string(time.iso8601)),
            ])
    }

    /// `/api/readiness`: whether a debate can begin, and what is missing.
    package static func readiness(
        providers: [(name: String, isAvailable: Bool, reason: String)], isDemo: Bool, missing: [String],
        optional: [String], database: Bool, features: [(String, Bool)], at time: Timestamp
    ) -> JSONValue {
        let rows = providers.map { provider in
            (
                provider.name,
                ["available": .bool(provider.isAvailable), "reason": .string(provider.reason)] as JSONValue
            )
        }
        return [
            "ready_to_debate": .bool(missing.isEmpty), "demo": .bool(isDemo), "providers": .object(JSONObject(rows)),
            "missing_required": .strings(missing), "missing_optional": .strings(optional),
            "storage": ["type": "postgres", "status": database ? "connected" : "unavailable"],
            "features": .object(JSONObject(features.map { ($0.0, .bool($0.1)) })), "timestamp": .string(time.iso8601),
        ]
    }

    /// `/api/health/workers`.
    package static func workers(_ workers: [JSONValue], live: Int, capacity: Int, running: Int, at time: Timestamp)
        -> JSONValue
    {
        PageBody.make(
            "workers", items: workers, total: workers.count, limit: workers.count, offset: 0,
            extra: [
                ("status", .string(live > 0 ? "healthy" : "unhealthy")), ("live", .int(Int64(live))),
                ("capacity", .int(Int64(capacity))), ("running", .int(Int64(running))),
                ("timestamp", .string(time.iso8601)),
            ])
    }

    /// `/api/health/slow-debates`.
    package static func slow(
        _ debates: [JSONValue], total: Int, thresholdSeconds: Int, limit: Int, offset: Int, at time: Timestamp
    ) -> JSONValue {
        PageBody.make(
            "slow_debates", items: debates, total: total, limit: limit, offset: offset,
            extra: [
                ("status", .string(total == 0 ? "healthy" : "degraded")),
                ("threshold_seconds", .int(Int64(thresholdSeconds))), ("timestamp", .string(time.iso8601)),
            ])
    }
}

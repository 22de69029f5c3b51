/// The bodies of the health family (design §1, contract §6).
package enum HealthBody {
    /// One dependency as `/health` shows it.
    package struct Check: Sendable {
        package let name: String
        package let isHealthy: Bool
        /// Losing it degrades, but does not stop the process.
        package let isOptional: Bool
        package let message: String
        package let responseMilliseconds: Double

        package init(name: String, isHealthy: Bool, isOptional: Bool, message: String, responseMilliseconds: Double) {
            self.name = name
            self.isHealthy = isHealthy
            self.isOptional = isOptional
            self.message = message
            self.responseMilliseconds = responseMilliseconds
        }
    }

    /// `/healthz`: the process answers.
    package static let alive: JSONValue = ["status": "ok"]

    /// `/readyz`.
    package static func readiness(reasons: [String], degraded: [String]) -> JSONValue {
        var body = JSONObject()
        body.append("status", .string(reasons.isEmpty ? "ready" : "not_ready"))
        if !reasons.isEmpty { body.append("reason", .string(reasons.joined(separator: "; "))) }
        body.append("degraded", .strings(degraded))
        return .object(body)
    }

    /// What an answer of `/readyz` says, for a person: whether the process is ready, and a line.
    package static func readinessLine(status: Int, body: [UInt8]) -> (isReady: Bool, line: String) {
        let answer = try? JSONParser.parse(body)
        let isReady = status == 200 && answer?["status"]?.string == "ready"
        guard isReady else { return (false, "not ready: \(answer?["reason"]?.string ?? "HTTP status \(status)")") }
        let degraded = (answer?["degraded"]?.array ?? []).compactMap(\.string)
        return (true, degraded.isEmpty ? "ready" : "ready without \(degraded.joined(separator: ", "))")
    }

    /// `/api/ready`: the same, with the two words that the documents' probes read.
    package static func apiReadiness(reasons: [String], degraded: [String], hasDatabase: Bool) -> JSONValue {
        var body = readiness(reasons: reasons, degraded: degraded).object ?? JSONObject()
        body.append("database", .string(hasDatabase ? "connected" : "unavailable"))
        body.append("agents", "available")
        return .object(body)
    }

    /// `/health`: the short form for whoever has no token.
    package static func short(isReady: Bool, degraded: [String], version: String) -> JSONValue {
        [
            "status": .string(isReady ? (degraded.isEmpty ? "ok" : "degraded") : "error"),
            "version": .string(version),
        ]
    }

    /// `/health` and `/api/health` in full.
    package static func full(
        checks: [Check], reasons: [String], degraded: [String], version: String, timestamp: String,
        uptimeSeconds: Double
    ) -> JSONValue {
        let overall = !reasons.isEmpty ? "error" : degraded.isEmpty ? "ok" : "warning"
        var members: [(String, JSONValue)] = []
        for check in checks {
            members.append(
                (
                    check.name,
                    [
                        "status": .string(check.isHealthy ? "ok" : check.isOptional ? "warning" : "error"),
                        "message": .string(check.message),
                        "response_time_ms": .fraction(check.responseMilliseconds),
                    ]
                ))
        }
        return [
            "status": .string(overall == "error" ? "unhealthy" : "healthy"),
            "overall": .string(overall),
            "version": .string(version),
            "timestamp": .string(timestamp),
            "uptime_seconds": .fraction(uptimeSeconds),
            "checks": .object(JSONObject(members)),
            "warnings": .strings(degraded.map { "\($0) is lost; the process does without" }),
            "errors": .strings(reasons),
        ]
    }

    /// `/health/build`.
    package static func build(version: String, commit: String, builtAt: String) -> JSONValue {
        [
            "version": .string(version), "sha": .string(commit), "sha_short": .string(String(commit.prefix(7))),
            "build_time": .string(builtAt),
        ]
    }

    /// `/health/threads`: what runs in this process.
    package static func services(_ names: [String], isDraining: Bool) -> JSONValue {
        [
            "total": .int(Int64(names.count)), "alive": .int(Int64(names.count)), "shutdown_called": .bool(isDraining),
            "threads": .array(names.map { ["name": .string($0), "alive": true, "daemon": false] }),
        ]
    }
}

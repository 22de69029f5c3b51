import Platform
import ServiceKit

/// What the installation promises: the targets of the service levels.
struct ServiceLevelSettings: Sendable {
    /// Share of requests that must not be answered with 5xx, and of looks at Postgres that it must answer.
    let availability: Double
    /// 99 of 100 requests must be answered within this.
    let latency: Duration
    /// Share of debates that must complete; those that people cancel do not count.
    let debateSuccess: Double

    init(reading reader: inout SettingsReader) {
        availability = reader.share(
            "SLO_AVAILABILITY_TARGET", default: 0.999, in: 0.5...0.99999,
            help: "Share of API requests that must not fail with 5xx; of looks at Postgres, too.")
        latency = .milliseconds(
            reader.int(
                "SLO_LATENCY_P99_TARGET_MS", default: 500, in: 1...60_000,
                help: "Milliseconds within which 99 of 100 API requests must be answered."))
        debateSuccess = reader.share(
            "SLO_DEBATE_SUCCESS_TARGET", default: 0.95, in: 0.5...0.99999,
            help: "Share of debates that must complete rather than fail or time out; cancelled ones do not count.")
    }

    /// The requests that count: those of the API's own routes, without probes, which always succeed, and without paths
    /// that no route has, which scanners ask for.
    var requests: RequestMetrics.Objective {
        .init(slow: latency) { template in
            template.hasPrefix("/api/") && template != "/api/status" && !HealthRoutes.paths.contains(template)
        }
    }
}

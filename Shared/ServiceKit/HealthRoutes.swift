package import Contracts
package import HTTP
import Platform

/// The health family and `/metrics`: the same on every executable's metrics port, and on the main ports.
package struct HealthRoutes: Sendable {
    /// Every path of the family with `/metrics`: open routes, all of them GET.
    package static let paths = [
        "/healthz", "/readyz", "/ready", "/api/ready", "/health", "/api/health", "/health/build", "/health/threads",
        "/metrics",
    ]

    /// Whether a route is asked by machines every few seconds.
    static func isProbe(_ template: String) -> Bool { paths.contains(template) || template == "/metrics/websocket" }

    /// What a path of the family is, in one sentence.
    package static func about(_ path: String) -> String {
        switch path {
        case "/healthz": "Whether the process answers."
        case "/readyz", "/ready", "/api/ready": "Whether it can do its work: 503 when not."
        case "/health/build": "Which build this is."
        case "/health/threads": "What runs in this process."
        case "/metrics": "Metrics in the text format of Prometheus."
        default: "What it depends on, and how that is; the short form without a credential."
        }
    }

    /// How a path of the family answers.
    package static func answers(_ path: String) -> [APIOperation.Answer] {
        func json(_ schema: Schema, _ statuses: Int...) -> [APIOperation.Answer] {
            statuses.map { .init(status: $0, type: "application/json", schema: schema) }
        }
        return switch path {
        case "/healthz": json(.alive, 200)
        case "/readyz", "/ready", "/api/ready": json(.readiness, 200, 503)
        case "/health/build": json(.build, 200)
        case "/health/threads": json(.threads, 200)
        case "/metrics": [.init(status: 200, type: "text/plain", schema: nil)]
        default: json(.health, 200, 503)
        }
    }

    private let context: ServiceContext

    package init(context: ServiceContext) { self.context = context }

    /// Adds every route. `mayReadDetails` decides who sees the full `/health`; the others get the short form.
    package func add(to router: inout Router, mayReadDetails: @escaping @Sendable (RequestContext) -> Bool) {
        let alive = CanonicalJSON.encode(HealthBody.alive)
        router.instantly(.get, "/healthz") { _, _ in .json(alive) }
        for path in ["/readyz", "/ready"] {
            router.on(.get, path) { [self] _, _ in
                await readiness { HealthBody.readiness(reasons: $0.reasons, degraded: $0.degraded) }
            }
        }
        router.on(.get, "/api/ready") { [self] _, _ in
            await readiness { report in
                HealthBody.apiReadiness(
                    reasons: report.reasons, degraded: report.degraded,
                    hasDatabase: report.findings.contains { $0.name == HealthRegistry.database && $0.isHealthy })
            }
        }
        for path in ["/health", "/api/health"] {
            router.on(.get, path) { [self] _, request in await health(details: mayReadDetails(request)) }
        }
        let build = CanonicalJSON.encode(
            HealthBody.build(
                version: context.build.version, commit: context.build.commit, builtAt: context.build.builtAt))
        router.instantly(.get, "/health/build") { _, _ in .json(build) }
        router.instantly(.get, "/health/threads") { [self] _, _ in
            Self.json(HealthBody.services(context.health.serviceNames, isDraining: context.shutdown.phase != .running))
        }
    }

    /// Adds `/metrics`, for a port that only the operator's network reaches.
    package func addMetrics(to router: inout Router, paths: [String] = ["/metrics"]) {
        for path in paths {
            router.instantly(.get, path) { [self] _, _ in
                .bytes(Array(context.metrics.render().utf8), type: "text/plain; version=0.0.4; charset=utf-8")
            }
        }
    }

    private func readiness(_ body: (HealthRegistry.Report) -> JSONValue) async -> Response {
        let report = await context.health.report()
        return Self.json(body(report), status: report.isReady ? .ok : .unavailable)
    }

    /// The answer of `/health`, in full or short.
    package func health(details: Bool) async -> Response {
        let report = await context.health.report()
        let status: Status = report.isReady ? .ok : .unavailable
        guard details else {
            let body = HealthBody.short(
                isReady: report.isReady, degraded: report.degraded, version: context.build.version)
            return Self.json(body, status: status)
        }
        let now = WallClock.nowMilliseconds()
        let checks = report.findings.map { finding in
            HealthBody.Check(
                name: finding.name, isHealthy: finding.isHealthy, isOptional: finding.kind == .optional,
                message: finding.message, responseMilliseconds: finding.duration.secondsValue * 1000)
        }
        let body = HealthBody.full(
            checks: checks, reasons: report.reasons, degraded: report.degraded, version: context.build.version,
            timestamp: ISO8601.string(milliseconds: now),
            uptimeSeconds: Double(now - context.startedAtMilliseconds) / 1000)
        return Self.json(body, status: status)
    }

    private static func json(_ value: JSONValue, status: Status = .ok) -> Response {
        .json(CanonicalJSON.encode(value), status: status)
    }
}

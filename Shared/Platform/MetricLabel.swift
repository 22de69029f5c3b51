/// A label of some metrics, and the closed set of its values.
package struct MetricLabel: Sendable {
    package enum Values: Sendable {
        /// Exactly these.
        case these([String])
        /// A set that the program fixes elsewhere: where, for readers.
        case described(String)
    }

    package let name: String
    package let metrics: [MetricName]
    package let values: Values

    private init(_ name: String, of metrics: [MetricName], _ values: Values) {
        self.name = name
        self.metrics = metrics
        self.values = values
    }

    private static let providers = [
        "anthropic", "openai", "openrouter", "mistral", "gemini", "xai", "local", "demo",
    ]
    private static let outcomes = ["consensus", "no_consensus", "error", "cancelled", "timeout"]

    /// Every label of every metric, once.
    package static let all: [MetricLabel] = [
        .init(
            "method", of: [.requests, .requestLatency],
            .these(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"])),
        .init(
            "handler", of: [.requests, .requestLatency],
            .described("the template of one of the service's routes, `unmatched` for any other path; never the path")),
        .init("status", of: [.requests], .described("the HTTP status of an answer, three digits")),
        .init(
            "limit", of: [.limitHits],
            .these([
                "malformed_request", "head_too_large", "uri_too_long", "body_too_large", "request_timeout",
                "unknown_transfer_coding", "version_not_supported", "expectation_failed", "deadline_exceeded",
            ])),
        .init("scope", of: [.rateLimitHits], .these(["http", "principal", "credential", "create", "bulk"])),
        .init("slo_name", of: [.sloCompliance, .sloBudget, .sloBurnRate], .these(SLOName.allCases.map(\.rawValue))),
        .init("source", of: [.gatewayFills], .these(["memory", "redis", "postgres", "gap", "snapshot"])),
        .init(
            "reason", of: [.websocketCloses],
            .these([
                "client", "lost", "unresponsive", "protocol", "slow", "shutdown", "expired", "origin", "rate", "error",
            ])),
        .init("outcome", of: [.debatesEnded, .debateDuration], .these(outcomes)),
        .init("outcome", of: [.publishes, .postgresQueries, .knowledgeKept], .these(["ok", "error"])),
        .init(
            "rows", of: [.expiredRows],
            .these([
                "idempotency_keys", "debate_shares", "receipt_shares", "sessions", "revoked_tokens", "password_resets",
                "sign_on_attempts", "login_failures", "webhook_messages", "callbacks",
            ])),
        .init("delivery", of: [.webhookDeliveries], .these(["delivered", "failed", "dead"])),
        .init("key", of: [.sealedSecrets], .these(["current", "previous", "unreadable"])),
        .init("rotation", of: [.keyRotations], .these(["completed", "failed"])),
        .init("result", of: [.knowledgeRecalls], .these(["found", "none", "failed"])),
        .init("outcome", of: [.backupRuns], .these(["success", "failure", "skipped"])),
        .init("kind", of: [.claims], .these(["queued", "adopted", "reconciled"])),
        .init("kind", of: [.alarms], .these(["run", "receipt_log"])),
        .init("kind", of: [.workersLive], .these(["worker", "embedded"])),
        .init("priority", of: [.queueDepth], .these(["low", "normal", "high"])),
        .init(
            "agent",
            of: [
                .agentCalls, .agentLatency, .agentErrors, .agentTokens, .agentCost, .agentElo, .agentWins,
                .breakerState, .agentHealthy,
            ],
            .these(providers)),
        .init("status", of: [.agentCalls], .these(["success", "error"])),
        .init(
            "error_type", of: [.agentErrors],
            .these([
                "connect", "first_token_timeout", "idle_timeout", "total_timeout", "upstream_timeout", "rate_limited",
                "quota",
                "authentication", "bad_request", "overloaded", "server", "malformed_reply", "empty_reply", "cut",
                "refused", "circuit_open", "not_configured", "cancelled", "attempts_exhausted",
            ])),
        .init("direction", of: [.agentTokens], .these(["input", "output"])),
        .init("state", of: [.breakerState], .these(["closed", "open", "half_open"])),
        .init("verdict", of: [.receipts], .these(["APPROVED", "APPROVED_WITH_CONDITIONS", "NEEDS_REVIEW"])),
        .init("dependency", of: [.degraded], .these(["redis", "backup"])),
        .init(
            "loop", of: [.loopLag, .loopQueue],
            .described("`loop-0` to `loop-63`, and `runner` in the api: one per event loop")),
        .init("fate", of: [.traceSpans], .these(["exported", "queue_full", "failed", "rejected"])),
        .init("report", of: [.errorReports], .these(["sent", "throttled", "queue_full", "failed"])),
        .init("version", of: [.buildInfo], .described("the version that was built")),
        .init("commit", of: [.buildInfo], .described("the commit that was built, or `unknown`")),
    ]

    /// What a label of a metric may say; nil when the catalogue does not know the label.
    package static func of(_ name: String, in metric: MetricName) -> MetricLabel? {
        all.first { $0.name == name && $0.metrics.contains(metric) }
    }
}

/// What the product promises, as dashboards and alerts name it.
package enum SLOName: String, Sendable, CaseIterable {
    case availability
    case latency = "latency_p99"
    case debateSuccess = "debate_success"
    case database
}

/// What a metric is: name, help, type and label names. Every metric of the product is declared in this catalogue.
package struct MetricName: Sendable, Hashable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package let name: String
    package let help: String
    package let kind: Kind
    /// Label names, in order; their values come from closed sets.
    package let labels: [String]
    /// Upper bounds of a histogram's buckets, ascending, without +Inf.
    package let buckets: [Double]

    package init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = [], buckets: [Double] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.buckets = buckets
    }

    package static func == (left: MetricName, right: MetricName) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension MetricName {
    static let latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    // HTTP
    package static let requests = MetricName(
        "aragora_requests_total", .counter, "HTTP requests answered, by route template.",
        labels: ["method", "handler", "status"])
    package static let requestLatency = MetricName(
        "aragora_request_latency_seconds", .histogram, "Time from a request's head to its response.",
        labels: ["method", "handler"], buckets: latencyBuckets)
    package static let httpConnections = MetricName("aragora_http_connections", .gauge, "Open HTTP connections.")
    package static let limitHits = MetricName(
        "aragora_limit_hits_total", .counter, "Times a named limit refused something.", labels: ["limit"])
    package static let rateLimitHits = MetricName(
        "aragora_rate_limit_hits_total", .counter, "Requests refused by the rate limit.", labels: ["scope"])

    // WebSocket
    package static let websocketConnections = MetricName(
        "aragora_websocket_connections", .gauge, "Open WebSocket connections.")
    package static let websocketFramesSent = MetricName(
        "aragora_websocket_frames_sent_total", .counter, "Frames queued to clients.")
    package static let websocketSlowClosed = MetricName(
        "aragora_websocket_slow_consumer_closes_total", .counter, "Connections closed because their queue was full.")
    package static let gatewayFills = MetricName(
        "aragora_gateway_fills_total", .counter, "Gaps or replays filled, by source.", labels: ["source"])
    package static let gatewayWatched = MetricName(
        "aragora_gateway_watched_debates", .gauge, "Debates with at least one viewer here.")

    // Debates
    package static let debatesStarted = MetricName("aragora_debates_started_total", .counter, "Debates created.")
    package static let debatesEnded = MetricName(
        "aragora_debates_total", .counter, "Debates that reached a terminal state, by outcome.", labels: ["outcome"])
    package static let debatesCompleted = MetricName(
        "aragora_debates_completed_total", .counter, "Debates that completed.")
    package static let debateDuration = MetricName(
        "aragora_debate_duration_seconds", .histogram, "Time from creation to the end, by outcome.",
        labels: ["outcome"],
        buckets: [1, 5, 10, 30, 60, 120, 300, 600, 1200])
    package static let activeDebates = MetricName("aragora_active_debates", .gauge, "Debates running in this process.")
    package static let debatesWaiting = MetricName(
        "aragora_debates_waiting", .gauge, "Queued debates, counted in Postgres.")
    package static let debatesRunning = MetricName(
        "aragora_debates_running", .gauge, "Running debates, counted in Postgres.")
    package static let oldestRunning = MetricName(
        "aragora_debate_start_timestamp", .gauge, "Unix time at which the oldest running debate was created.")
    package static let eventsAppended = MetricName(
        "aragora_events_appended_total", .counter, "Events committed to the log.")
    package static let appendLatency = MetricName(
        "aragora_append_latency_seconds", .histogram, "Time of one append transaction.", buckets: latencyBuckets)
    package static let claims = MetricName(
        "aragora_claims_total", .counter, "Debates claimed, by kind.", labels: ["kind"])
    package static let leaseLost = MetricName(
        "aragora_leases_lost_total", .counter, "Debates that another runner took over from this one.")
    package static let deadLetters = MetricName(
        "aragora_dead_letters_total", .counter, "Debates given up after too many attempts.")
    package static let alarms = MetricName(
        "aragora_invariant_alarms_total", .counter, "States that must never happen; each is a bug.", labels: ["kind"])

    // Model calls
    package static let agentCalls = MetricName(
        "aragora_agent_calls_total", .counter, "Model calls finished, by provider.", labels: ["agent", "status"])
    package static let agentLatency = MetricName(
        "aragora_agent_latency_seconds", .histogram, "Time of one model call.", labels: ["agent"],
        buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60])
    package static let agentErrors = MetricName(
        "aragora_agent_errors_total", .counter, "Failed model calls, by error.", labels: ["agent", "error_type"])
    package static let agentTokens = MetricName(
        "aragora_agent_tokens_total", .counter, "Tokens, by provider and direction.", labels: ["agent", "direction"])
    package static let breakerState = MetricName(
        "aragora_circuit_breaker_state", .gauge, "1 for the state a provider's circuit breaker is in.",
        labels: ["agent", "state"])

    // Receipts
    package static let receipts = MetricName(
        "aragora_decision_receipts_total", .counter, "Receipts issued, by verdict.", labels: ["verdict"])

    // Stores
    package static let postgresQueries = MetricName(
        "aragora_postgres_queries_total", .counter, "Statements answered.", labels: ["outcome"])
    package static let postgresConnections = MetricName(
        "aragora_postgres_connections", .gauge, "Open Postgres connections.")
    package static let redisUp = MetricName("aragora_redis_up", .gauge, "1 while Redis answers this process.")
    package static let publishes = MetricName(
        "aragora_publishes_total", .counter, "Entries published to Redis, by outcome.", labels: ["outcome"])
    package static let publishLag = MetricName(
        "aragora_publish_lag_events", .gauge, "Committed events not yet published.")

    // Backup
    package static let backupAge = MetricName(
        "aragora_backup_age_seconds", .gauge, "Age of the newest verified backup.")
    package static let backupSize = MetricName(
        "aragora_backup_size_bytes", .gauge, "Size of the newest verified backup.")
    package static let backupLastSuccess = MetricName(
        "aragora_backup_last_success_timestamp", .gauge, "Unix time of the newest verified backup.")
    package static let backupRuns = MetricName(
        "aragora_backup_runs_total", .counter, "Backups tried, by outcome.", labels: ["outcome"])
    package static let backupDuration = MetricName(
        "aragora_backup_duration_seconds", .histogram, "Time of a backup with its verification.",
        buckets: [1, 5, 10, 30, 60, 300, 900, 3600])

    // Process
    package static let ready = MetricName("aragora_ready", .gauge, "1 while this process is ready.")
    package static let degraded = MetricName(
        "aragora_degraded", .gauge, "1 while a dependency is lost that we can do without.", labels: ["dependency"])
    package static let loopLag = MetricName(
        "aragora_event_loop_lag_seconds", .histogram, "How late a timer of the event loop fired.", labels: ["loop"],
        buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1])
}

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
    /// The same series are shown under this name too: what dashboards made for the original product ask for.
    package let secondName: String?

    /// Internal: a metric that is not declared in this module can not be emitted.
    init(
        _ name: String, _ kind: Kind, _ help: String, labels: [String] = [], buckets: [Double] = [],
        secondName: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.buckets = buckets
        self.secondName = secondName
    }

    /// Everything a scrape shows of it: itself, and itself under its second name.
    package var shown: [MetricName] {
        guard let secondName else { return [self] }
        return [self, MetricName(secondName, kind, "The same as \(name).", labels: labels, buckets: buckets)]
    }

    package static func == (left: MetricName, right: MetricName) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension MetricName {
    static let latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    // HTTP
    package static let requests = MetricName(
        "aragora_requests_total", .counter, "HTTP requests answered, by route template.",
        labels: ["method", "handler", "status"], secondName: "aragora_http_requests_total")
    package static let requestLatency = MetricName(
        "aragora_request_latency_seconds", .histogram, "Time from a request's head to its response.",
        labels: ["method", "handler"], buckets: latencyBuckets, secondName: "aragora_http_request_duration_seconds")
    package static let requestRate = MetricName(
        "aragora_http_requests_per_second", .gauge, "HTTP requests answered a second, over the last 10 s.")
    package static let httpConnections = MetricName("aragora_http_connections", .gauge, "Open HTTP connections.")
    package static let limitHits = MetricName(
        "aragora_limit_hits_total", .counter, "Times a named limit refused something.", labels: ["limit"])
    package static let rateLimitHits = MetricName(
        "aragora_rate_limit_hits_total", .counter, "Requests refused by the rate limit.", labels: ["scope"])

    // Service levels, measured by each api replica; docs/metrics.md says over which windows
    package static let sloCompliance = MetricName(
        "aragora_slo_compliance", .gauge, "1 while the objective is met over its window, or nothing happened in it.",
        labels: ["slo_name"])
    package static let sloBudget = MetricName(
        "aragora_slo_error_budget_remaining", .gauge, "Share of the error budget that is left: 1 all, 0 none.",
        labels: ["slo_name"])
    package static let sloBurnRate = MetricName(
        "aragora_slo_burn_rate", .gauge, "Share of failures over its window, divided by the share that may fail.",
        labels: ["slo_name"])

    // WebSocket
    package static let websocketConnections = MetricName(
        "aragora_websocket_connections", .gauge, "Open WebSocket connections.")
    package static let websocketFramesSent = MetricName(
        "aragora_websocket_frames_sent_total", .counter, "Frames queued to clients.")
    package static let websocketSlowClosed = MetricName(
        "aragora_websocket_slow_consumer_closes_total", .counter, "Connections closed because their queue was full.")
    package static let websocketQueuedBytes = MetricName(
        "aragora_websocket_queued_bytes", .gauge,
        "Bytes that wait for clients to take them; a frame that several wait for counts for each.")
    package static let websocketQueueLimit = MetricName(
        "aragora_websocket_queue_limit_bytes", .gauge, "Bytes that may wait for one client before it is closed.")
    package static let websocketSlow = MetricName(
        "aragora_websocket_slow_connections", .gauge,
        "Connections for which more than half of what may wait does: they get no token deltas.")
    package static let websocketTokensShed = MetricName(
        "aragora_websocket_tokens_shed_total", .counter, "Token deltas that a slow client went without.")
    package static let websocketCloses = MetricName(
        "aragora_websocket_closes_total", .counter, "Connections that ended, by who ended them and why.",
        labels: ["reason"])
    package static let gatewayFills = MetricName(
        "aragora_gateway_fills_total", .counter, "Gaps or replays filled, by source.", labels: ["source"])
    package static let gatewayWaiting = MetricName(
        "aragora_gateway_replays_waiting", .gauge, "Replays that wait until their client has taken what was sent.")
    package static let gatewayUnread = MetricName(
        "aragora_gateway_redis_unread_bytes", .gauge,
        "Live events that Redis has sent and no loop has read yet: the gateway is busier than it can be.")
    package static let gatewayWatched = MetricName(
        "aragora_gateway_watched_debates", .gauge, "Debates with at least one viewer here.")

    // Debates
    package static let debatesStarted = MetricName("aragora_debates_started_total", .counter, "Debates created.")
    package static let debatesEnded = MetricName(
        "aragora_debates_total", .counter, "Debates that reached a terminal state, by outcome.", labels: ["outcome"])
    package static let debatesCompleted = MetricName(
        "aragora_debates_completed_total", .counter, "Debates that completed.")
    package static let consensusReached = MetricName(
        "aragora_consensus_reached_total", .counter, "Debates that completed with consensus.")
    package static let consensusRate = MetricName(
        "aragora_consensus_rate", .gauge,
        "Share of the debates completed in the last hour that reached consensus, the newest 1,000; NaN when none is.")
    package static let debateRounds = MetricName(
        "aragora_debate_rounds_total", .counter, "Rounds begun by the debates that ended.")
    package static let convergence = MetricName(
        "aragora_convergence_score", .histogram,
        "How similar positions were between the last two rounds, of debates that decided after two or more.",
        buckets: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1])
    package static let budgetEnded = MetricName(
        "aragora_debates_budget_ended_total", .counter,
        "Debates that completed with their whole budget spent, which cuts rounds short.")
    package static let budgetLimit = MetricName(
        "aragora_budget_limit_usd", .gauge,
        "Budgets of running debates that have one, in US dollars, summed over 500 at most.")
    package static let budgetSpent = MetricName(
        "aragora_budget_spent_usd", .gauge,
        "What running debates that have a budget have spent on calls, in US dollars; 500 debates at most.")
    package static let budgetReserved = MetricName(
        "aragora_budget_reserved_usd", .gauge,
        "Worst cost of the model calls that are in flight, in US dollars; of 500 open debates at most.")
    package static let budgetRemaining = MetricName(
        "aragora_budget_remaining_ratio", .gauge,
        "Share of its period's limit that the tightest enabled budget of any organization has left; 1 without budgets.")
    package static let debateDuration = MetricName(
        "aragora_debate_duration_seconds", .histogram, "Time from creation to the end, by outcome.",
        labels: ["outcome"],
        buckets: [1, 5, 10, 30, 60, 120, 300, 600, 1200])
    package static let activeDebates = MetricName("aragora_active_debates", .gauge, "Debates running in this process.")
    package static let debatesWaiting = MetricName(
        "aragora_debates_waiting", .gauge, "Queued debates, counted in Postgres, to 100,000.")
    package static let debatesRunning = MetricName(
        "aragora_debates_running", .gauge, "Running debates, counted in Postgres.")
    package static let oldestRunning = MetricName(
        "aragora_debate_start_timestamp", .gauge, "Unix time at which the oldest running debate was created.")
    package static let queueDepth = MetricName(
        "aragora_queue_depth", .gauge, "Queued debates by class of priority, counted in Postgres.",
        labels: ["priority"])
    package static let controlPlaneQueueDepth = MetricName(
        "aragora_control_plane_queue_depth", .gauge, "Debates that are not ended: queued, running or paused.")
    package static let oldestQueued = MetricName(
        "aragora_queue_oldest_seconds", .gauge,
        "How long the debate that waits longest has been queued; 0 when none is.")
    package static let deadLetterQueue = MetricName(
        "aragora_dead_letter_queue_size", .gauge, "Debates given up that nobody has looked at, as Redis lists them.")
    package static let workersLive = MetricName(
        "aragora_workers_live", .gauge, "Runners with a live lease, counted in Postgres.", labels: ["kind"])
    package static let workerCapacity = MetricName(
        "aragora_worker_capacity", .gauge, "Debates that this process can run at once.")
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

    package static let expiredRows = MetricName(
        "aragora_expired_rows_removed_total", .counter, "Rows removed because their time is over, by what they were.",
        labels: ["rows"])
    package static let lastHousekeeping = MetricName(
        "aragora_housekeeping_last_timestamp", .gauge, "When this process last removed rows whose time is over.")

    // Webhooks
    package static let webhookDeliveries = MetricName(
        "aragora_webhook_deliveries_total", .counter, "Attempts to deliver a webhook, by what came of them.",
        labels: ["delivery"])

    // Stored secrets
    package static let sealedSecrets = MetricName(
        "aragora_sealed_secrets", .gauge, "Stored secrets, by the key that opens them.", labels: ["key"])
    package static let keyRotations = MetricName(
        "aragora_key_rotations_total", .counter, "Rotations of the encryption key that this process ended.",
        labels: ["rotation"])
    package static let keyDue = MetricName(
        "aragora_encryption_key_due_seconds", .gauge,
        "Time until the encryption key should be changed, by ARAGORA_KEY_ROTATION_INTERVAL_DAYS; negative when it is late."
    )

    // Knowledge
    package static let knowledgeKept = MetricName(
        "aragora_knowledge_kept_total", .counter, "Conclusions to be kept for later debates, by outcome.",
        labels: ["outcome"])
    package static let knowledgeRecalls = MetricName(
        "aragora_knowledge_recalls_total", .counter,
        "Looks for earlier conclusions when a debate was created, by what came of them.", labels: ["result"])

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
    package static let agentCost = MetricName(
        "aragora_agent_cost_usd_total", .counter, "Cost of model calls in US dollars, by provider.", labels: ["agent"])
    package static let agentElo = MetricName(
        "aragora_agent_elo_rating", .gauge, "Elo rating of a provider's best model, from Postgres.", labels: ["agent"])
    package static let agentWins = MetricName(
        "aragora_agent_wins_total", .counter, "Wins of a provider's models, one for each seat, counted in Postgres.",
        labels: ["agent"])
    package static let breakerState = MetricName(
        "aragora_circuit_breaker_state", .gauge, "1 for the state a provider's circuit breaker is in.",
        labels: ["agent", "state"])
    package static let agentHealthy = MetricName(
        "aragora_agent_healthy", .gauge,
        "1 while a provider answers; 0 after 3 failures in a row, until 2 answers in a row.", labels: ["agent"])

    // Receipts
    package static let receipts = MetricName(
        "aragora_decision_receipts_total", .counter, "Receipts issued, by verdict.", labels: ["verdict"])

    package static let receiptsLogged = MetricName(
        "aragora_receipt_log_appended_total", .counter, "Receipts put into the receipt log by this process.")
    package static let receiptHeads = MetricName(
        "aragora_receipt_log_heads_total", .counter, "Heads of the receipt log signed and stored by this process.")
    package static let receiptLogLeaves = MetricName(
        "aragora_receipt_log_leaves", .gauge, "Receipts in the receipt log, as Postgres has it.")
    package static let receiptLogLag = MetricName(
        "aragora_receipt_log_head_lag_seconds", .gauge,
        "How long the oldest receipt has waited that no stored head of the receipt log covers; 0 when all are.")
    package static let receiptCleanups = MetricName(
        "aragora_receipt_cleanup_total", .counter, "Times that receipts past their retention were looked for.")
    package static let receiptCleanupErrors = MetricName(
        "aragora_receipt_cleanup_errors_total", .counter, "Of these, how many failed.")
    package static let receiptCleanupDuration = MetricName(
        "aragora_receipt_cleanup_duration_seconds", .histogram, "How long it took.", buckets: latencyBuckets)
    package static let receiptsDeleted = MetricName(
        "aragora_receipts_deleted_total", .counter, "Receipts deleted because their retention has passed.")
    package static let receiptLastCleanup = MetricName(
        "aragora_receipt_last_cleanup_timestamp", .gauge,
        "Unix time at which this process last looked for receipts past their retention; 0 when it never did.")
    package static let receiptsStored = MetricName(
        "aragora_receipts_stored", .gauge, "Receipts in Postgres: exact to 1,000, beyond that Postgres's own estimate."
    )
    package static let receiptOldest = MetricName(
        "aragora_receipt_oldest_timestamp", .gauge, "Unix time of the oldest receipt; 0 when there is none.")
    package static let receiptRetention = MetricName(
        "aragora_receipt_retention_days", .gauge, "How long receipts are to be kept, in days, as configured.")

    // Stores
    package static let postgresQueries = MetricName(
        "aragora_postgres_queries_total", .counter, "Statements answered.", labels: ["outcome"])
    package static let postgresConnections = MetricName(
        "aragora_postgres_connections", .gauge, "Open Postgres connections.")
    package static let postgresPoolSize = MetricName(
        "aragora_postgres_pool_size", .gauge, "Postgres connections that this process may open.")
    package static let postgresPoolInUse = MetricName(
        "aragora_postgres_pool_in_use", .gauge, "Postgres connections with a statement or transaction under way.")
    package static let postgresPoolWaiting = MetricName(
        "aragora_postgres_pool_waiting", .gauge, "Statements and transactions that wait for a connection.")
    package static let postgresUp = MetricName("aragora_postgres_up", .gauge, "1 while Postgres answers this process.")
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

    // Telemetry
    package static let traceSpans = MetricName(
        "aragora_trace_spans_total", .counter, "Spans by what became of them; all but `exported` are lost.",
        labels: ["fate"])
    package static let errorReports = MetricName(
        "aragora_error_reports_total", .counter, "Errors by whether they were reported to Sentry.", labels: ["report"])

    // Process
    package static let ready = MetricName("aragora_ready", .gauge, "1 while this process is ready.")
    package static let degraded = MetricName(
        "aragora_degraded", .gauge, "1 while a dependency is lost that we can do without.", labels: ["dependency"])
    package static let loopLag = MetricName(
        "aragora_event_loop_lag_seconds", .histogram, "How late a timer of the event loop fired.", labels: ["loop"],
        buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1])
    package static let loopQueue = MetricName(
        "aragora_event_loop_queue_depth", .gauge, "Jobs that waited on the event loop when it was last looked at.",
        labels: ["loop"])
    package static let buildInfo = MetricName(
        "aragora_build_info", .gauge, "Always 1; what was built is in the labels.", labels: ["version", "commit"])
    package static let configLoaded = MetricName(
        "aragora_config_last_reload_timestamp", .gauge, "Unix time at which the settings in force were read.")
    package static let residentMemory = MetricName("process_resident_memory_bytes", .gauge, "Resident memory.")
    package static let virtualMemory = MetricName("process_virtual_memory_bytes", .gauge, "Virtual memory.")
    package static let cpuSeconds = MetricName(
        "process_cpu_seconds_total", .counter, "CPU time, user and system.")
    package static let openDescriptors = MetricName("process_open_fds", .gauge, "Open file descriptors.")
    package static let maxDescriptors = MetricName(
        "process_max_fds", .gauge, "File descriptors that this process may open.")
    package static let threads = MetricName("process_threads", .gauge, "Threads of this process.")
    package static let startTime = MetricName("process_start_time_seconds", .gauge, "Unix time of the start.")
}

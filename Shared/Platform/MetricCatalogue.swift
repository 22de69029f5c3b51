/// Every metric of the product by subject, and what its labels may say: what docs/metrics.md lists.
package enum MetricCatalogue {
    package static let groups: [(subject: String, metrics: [MetricName])] = [
        (
            "HTTP",
            [
                .requests, .requestLatency, .requestRate, .httpConnections, .limitHits, .rateLimitHits,
            ]
        ),
        (
            "Service levels",
            [
                .sloCompliance, .sloBudget, .sloBurnRate,
            ]
        ),
        (
            "WebSocket",
            [
                .websocketConnections, .websocketFramesSent, .websocketQueuedBytes, .websocketQueueLimit,
                .websocketSlow,
                .websocketTokensShed, .websocketSlowClosed, .websocketCloses, .gatewayFills, .gatewayWatched,
                .gatewayWaiting, .gatewayUnread,
            ]
        ),
        (
            "Debates",
            [
                .debatesStarted, .debatesEnded, .debatesCompleted, .consensusReached, .consensusRate, .debateRounds,
                .convergence, .debateDuration, .budgetEnded, .budgetLimit, .budgetSpent, .budgetReserved,
                .budgetRemaining, .activeDebates,
                .eventsAppended,
                .appendLatency, .claims, .leaseLost, .deadLetters, .alarms,
            ]
        ),
        (
            "Queue",
            [
                .debatesWaiting, .debatesRunning, .oldestRunning, .queueDepth, .controlPlaneQueueDepth, .oldestQueued,
                .deadLetterQueue, .workersLive, .workerCapacity, .expiredRows, .lastHousekeeping,
            ]
        ),
        (
            "Webhooks",
            [
                .webhookDeliveries
            ]
        ),
        (
            "Stored secrets",
            [
                .sealedSecrets, .keyRotations, .keyDue,
            ]
        ),
        (
            "Knowledge",
            [
                .knowledgeKept, .knowledgeRecalls,
            ]
        ),
        (
            "Model calls",
            [
                .agentCalls, .agentLatency, .agentErrors, .agentTokens, .agentCost, .agentElo, .agentWins,
                .breakerState, .agentHealthy,
            ]
        ),
        (
            "Receipts",
            [
                .receipts, .receiptsStored, .receiptOldest, .receiptRetention, .receiptsLogged, .receiptHeads,
                .receiptLogLeaves, .receiptLogLag, .receiptCleanups, .receiptCleanupErrors, .receiptCleanupDuration,
                .receiptsDeleted, .receiptLastCleanup,
            ]
        ),
        (
            "Stores",
            [
                .postgresUp, .postgresQueries, .postgresConnections, .postgresPoolSize, .postgresPoolInUse,
                .postgresPoolWaiting, .redisUp, .publishes, .publishLag,
            ]
        ),
        (
            "Backup",
            [
                .backupAge, .backupSize, .backupLastSuccess, .backupRuns, .backupDuration,
            ]
        ),
        (
            "Telemetry",
            [
                .traceSpans, .errorReports,
            ]
        ),
        (
            "Process",
            [
                .ready, .degraded, .buildInfo, .configLoaded, .loopLag, .loopQueue, .residentMemory, .virtualMemory,
                .cpuSeconds, .openDescriptors, .maxDescriptors, .threads, .startTime,
            ]
        ),
    ]

    package enum Service: String, Sendable, CaseIterable {
        case api
        case gateway = "ws-gateway"
        case worker = "debate-worker"
        case backup
    }

    /// Which services show a metric.
    package static func services(of metric: MetricName) -> [Service] {
        shownBy.first { $0.metrics.contains(metric) }?.services ?? Service.allCases
    }

    /// What is not here is about a process or its stores, and shown by every service.
    private static let shownBy: [(services: [Service], metrics: Set<MetricName>)] = [
        ([.api, .gateway], [.requests, .requestLatency, .requestRate, .httpConnections, .limitHits]),
        (
            [.api],
            [
                .rateLimitHits, .sloCompliance, .sloBudget, .sloBurnRate, .debatesStarted, .consensusRate, .budgetLimit,
                .budgetSpent, .budgetReserved, .budgetRemaining, .debatesWaiting, .debatesRunning, .oldestRunning,
                .queueDepth, .controlPlaneQueueDepth,
                .oldestQueued, .deadLetterQueue, .workersLive, .agentElo, .agentWins, .receiptsStored, .receiptOldest,
                .receiptRetention, .receiptLogLeaves, .receiptLogLag, .knowledgeRecalls,
                .expiredRows, .lastHousekeeping, .sealedSecrets, .keyRotations, .keyDue,
            ]
        ),
        (
            [.gateway],
            [
                .websocketConnections, .websocketFramesSent, .websocketQueuedBytes, .websocketQueueLimit,
                .websocketSlow,
                .websocketTokensShed, .websocketSlowClosed, .websocketCloses, .gatewayFills, .gatewayWatched,
                .gatewayWaiting, .gatewayUnread,
            ]
        ),
        (
            [.api, .worker],
            [
                .debatesEnded, .debatesCompleted, .consensusReached, .debateRounds, .convergence, .debateDuration,
                .budgetEnded, .activeDebates, .eventsAppended, .appendLatency, .claims, .leaseLost, .deadLetters,
                .alarms, .workerCapacity, .agentCalls, .agentLatency, .agentErrors, .agentTokens, .agentCost,
                .breakerState, .agentHealthy, .receipts, .publishes, .publishLag, .receiptsLogged, .receiptHeads,
                .receiptCleanups, .receiptCleanupErrors, .receiptCleanupDuration, .receiptsDeleted, .receiptLastCleanup,
                .knowledgeKept, .webhookDeliveries,
            ]
        ),
        ([.api, .gateway, .worker], [.redisUp]),
        ([.backup], [.backupAge, .backupSize, .backupLastSuccess, .backupRuns, .backupDuration]),
    ]

    /// Metrics that dashboards of the original product ask for and nothing emits yet, because what they measure is not
    /// built. Not ``MetricName``s, so that none can be emitted by mistake.
    package struct Pending: Sendable {
        package let name: String
        package let kind: MetricName.Kind
        package let labels: [String]
        /// What has to exist first.
        package let capability: String
    }

    package static let pending: [Pending] = []
}

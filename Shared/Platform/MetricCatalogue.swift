/// Every metric of the product by subject: what docs/metrics.md lists.
package enum MetricCatalogue {
    package static let groups: [(subject: String, metrics: [MetricName])] = [
        (
            "HTTP",
            [
                .requests, .requestLatency, .httpConnections, .limitHits, .rateLimitHits,
            ]
        ),
        (
            "WebSocket",
            [
                .websocketConnections, .websocketFramesSent, .websocketSlowClosed, .gatewayFills, .gatewayWatched,
            ]
        ),
        (
            "Debates",
            [
                .debatesStarted, .debatesEnded, .debatesCompleted, .debateDuration, .activeDebates, .debatesWaiting,
                .debatesRunning, .oldestRunning, .eventsAppended, .appendLatency, .claims, .leaseLost, .deadLetters,
                .alarms,
            ]
        ),
        (
            "Model calls",
            [
                .agentCalls, .agentLatency, .agentErrors, .agentTokens, .breakerState,
            ]
        ),
        (
            "Receipts",
            [
                .receipts
            ]
        ),
        (
            "Stores",
            [
                .postgresQueries, .postgresConnections, .redisUp, .publishes, .publishLag,
            ]
        ),
        (
            "Backup",
            [
                .backupAge, .backupSize, .backupLastSuccess, .backupRuns, .backupDuration,
            ]
        ),
        (
            "Process",
            [
                .ready, .degraded, .loopLag, ProcessMetrics.residentMemory, ProcessMetrics.cpuSeconds,
                ProcessMetrics.openDescriptors, ProcessMetrics.startTime,
            ]
        ),
    ]
}

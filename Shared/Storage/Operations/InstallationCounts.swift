package import Domain

/// What the whole installation holds, for metrics. Where a count is bounded, its bound is named beside it.
package struct InstallationCounts: Sendable, Hashable {
    /// Debates that are not ended, counted to ``InstallationCounter/maxOpen``, the oldest first.
    package struct Queue: Sendable, Hashable {
        package let running: Int
        package let paused: Int
        /// Queued, by priority: below 0, 0, above 0.
        package let low: Int
        package let normal: Int
        package let high: Int
        /// How long the one that waits longest has been queued, by Postgres's clock.
        package let longestWait: Duration
        /// Since when the oldest running debate exists.
        package let oldestRunning: Timestamp?

        package var waiting: Int { low + normal + high }
    }

    /// What became of the debates that ended within the last hour, the newest ``InstallationCounter/maxEnds`` of them.
    package struct Ends: Sendable, Hashable {
        package let completed: Int
        /// Completed with consensus.
        package let agreed: Int
        /// Failed or timed out.
        package let failed: Int
    }

    /// Of running debates that have a budget, ``InstallationCounter/maxBudgets`` at most.
    package struct Budgets: Sendable, Hashable {
        package let limit: MicroUSD
        package let spent: MicroUSD
    }

    package let queue: Queue
    package let ends: Ends
    package let budgets: Budgets
    /// Live runners that are workers.
    package let workers: Int
    /// Live runners inside an api.
    package let embeddedRunners: Int
    /// Exact to ``InstallationCounter/exactReceipts``; beyond that Postgres's own estimate.
    package let receipts: Int
    package let oldestReceipt: Timestamp?
}

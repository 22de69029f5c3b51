import Domain
package import Platform
package import PostgresClient
import Storage

/// Deletes receipts whose retention has passed, but for those on legal hold. Their leaves stay in the receipt log.
///
/// Run by the sequencer of the receipt log, so that one process does it; that two do it does no harm.
package struct ReceiptRetention: Sendable {
    /// Between two looks.
    static let interval: Duration = .seconds(3600)

    private let store: ReceiptRetentionStore
    private let days: @Sendable () -> Int
    private let log: Log
    private let metrics: Metrics
    private let sweptAt = Lock<BootInstant?>(nil)

    package init(pool: PGPool, days: @escaping @Sendable () -> Int, log: Log, metrics: Metrics) {
        store = ReceiptRetentionStore(pool: pool)
        self.days = days
        self.log = log
        self.metrics = metrics
        metrics.declare(
            .receiptCleanups, .receiptCleanupErrors, .receiptCleanupDuration, .receiptsDeleted, .receiptLastCleanup)
    }

    /// Looks, if the last time was an hour ago.
    package func sweepIfDue() async {
        let now = BootInstant.now()
        let isDue = sweptAt.withLock { last in
            guard last.map({ now.since($0) >= Self.interval }) ?? true else { return false }
            last = now
            return true
        }
        if isDue { await sweep(now: now) }
    }

    private func sweep(now: BootInstant) async {
        metrics.add(.receiptCleanups)
        metrics.set(.receiptLastCleanup, to: Double(WallClock.nowMilliseconds()) / 1000)
        do throws(StorageError) {
            var deleted = 0
            while case let count = try await store.deleteExpired(days: days()), count > 0 { deleted += count }
            metrics.add(.receiptsDeleted, by: Double(deleted))
            if deleted > 0 { log.info("receipts deleted: their retention has passed", .count(deleted)) }
        } catch {
            metrics.add(.receiptCleanupErrors)
            log.warning("receipts past their retention not deleted", .error(error))
        }
        metrics.observe(.receiptCleanupDuration, [], BootInstant.now().since(now).secondsValue)
    }
}

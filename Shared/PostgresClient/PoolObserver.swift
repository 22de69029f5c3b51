import Platform

/// Counts what a pool does; the metrics take the sums at each scrape, so that a statement costs them nothing.
final class PoolObserver: Sendable {
    private struct Counts {
        var answered = 0
        var failed = 0
        var connections = 0
        var inUse = 0
        var waiting = 0
    }

    private let counts = Lock(Counts())
    private let metrics: Metrics?

    /// - Parameter size: the most connections that the pool opens. A process's pools add up.
    init(metrics: Metrics?, size: Int) {
        self.metrics = metrics
        metrics?.declare(.postgresQueries, .postgresConnections, .postgresPoolInUse, .postgresPoolWaiting)
        metrics?.add(.postgresPoolSize, by: Double(size))
        metrics?.onScrape { [weak self] metrics in self?.flush(to: metrics) }
    }

    var isHealthy: Bool { counts.withLock { $0.connections > 0 } }

    func answered(isError: Bool) {
        counts.withLock { counts in if isError { counts.failed += 1 } else { counts.answered += 1 } }
    }

    func connected(_ count: Int) {
        counts.withLock { $0.connections = count }
        metrics?.add(.postgresConnections, by: 1)
    }

    func disconnected(_ count: Int) {
        counts.withLock { $0.connections = count }
        metrics?.add(.postgresConnections, by: -1)
    }

    /// How many connections have something under way, and how many callers wait for one.
    func sampled(inUse: Int, waiting: Int) {
        let (used, waited) = counts.withLock { counts in
            defer { (counts.inUse, counts.waiting) = (inUse, waiting) }
            return (inUse - counts.inUse, waiting - counts.waiting)
        }
        if used != 0 { metrics?.add(.postgresPoolInUse, by: Double(used)) }
        if waited != 0 { metrics?.add(.postgresPoolWaiting, by: Double(waited)) }
    }

    /// The pool is closed: what it added to the process's sums goes.
    func closed(size: Int) {
        sampled(inUse: 0, waiting: 0)
        metrics?.add(.postgresPoolSize, by: -Double(size))
    }

    private func flush(to metrics: Metrics) {
        let (answered, failed) = counts.withLock { counts in
            defer { (counts.answered, counts.failed) = (0, 0) }
            return (counts.answered, counts.failed)
        }
        metrics.add(.postgresQueries, ["ok"], by: Double(answered))
        metrics.add(.postgresQueries, ["error"], by: Double(failed))
    }
}

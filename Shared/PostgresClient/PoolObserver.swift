import Platform

/// Counts what a pool does; the metrics take the sums at each scrape, so that a statement costs them nothing.
final class PoolObserver: Sendable {
    private struct Counts {
        var answered = 0
        var failed = 0
        var connections = 0
    }

    private let counts = Lock(Counts())
    private let metrics: Metrics?

    init(metrics: Metrics?) {
        self.metrics = metrics
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

    private func flush(to metrics: Metrics) {
        let (answered, failed) = counts.withLock { counts in
            defer { (counts.answered, counts.failed) = (0, 0) }
            return (counts.answered, counts.failed)
        }
        metrics.add(.postgresQueries, ["ok"], by: Double(answered))
        metrics.add(.postgresQueries, ["error"], by: Double(failed))
    }
}

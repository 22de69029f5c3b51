package import Platform
import Sockets

/// Counts the requests of a process. The metrics take the sums at each scrape, so that a request costs one short lock.
package final class RequestMetrics: Sendable {
    /// Which requests the service levels are about.
    package struct Objective: Sendable {
        let slowNanoseconds: Int64
        let covers: @Sendable (String) -> Bool

        /// - Parameters:
        ///   - slow: an answer that takes longer is slow.
        ///   - covers: whether requests of a route, given by its template, count.
        package init(slow: Duration, covers: @escaping @Sendable (String) -> Bool) {
            slowNanoseconds = slow.nanosecondsClamped
            self.covers = covers
        }
    }

    /// Requests that the objective covers: failed ones are answered with 5xx.
    package struct Levels: Sendable {
        /// Over the last five minutes.
        package let recent: RollingCounts.Counts
        /// Over the last 30 days, as far as this process has lived.
        package let period: RollingCounts.Counts
    }

    private struct Route: Hashable {
        let method: String
        let template: String
    }

    private struct Series {
        /// A handful per route: found faster by looking than by hashing.
        var statuses: [(code: Int, count: Int)] = []
        var latency = HistogramCounts(.requestLatency)
        let isCovered: Bool

        init(isCovered: Bool) { self.isCovered = isCovered }

        /// - Returns: whether the objective covers it.
        mutating func count(_ status: Int, _ took: Int64) -> Bool {
            if let index = statuses.firstIndex(where: { $0.code == status }) {
                statuses[index].count += 1
            } else {
                statuses.append((status, 1))
            }
            latency.observe(Double(took) / 1e9, of: .requestLatency)
            return isCovered
        }

        mutating func reset() {
            for index in statuses.indices { statuses[index].count = 0 }
            latency = HistogramCounts(.requestLatency)
        }
    }

    private struct State {
        var series: [Route: Series] = [:]
        var rate = RollingCounts(slot: .seconds(1), count: rateSeconds + 1)
        var recent = RollingCounts(slot: .seconds(10), count: 30)
        var period = RollingCounts(slot: .seconds(3600), count: 30 * 24)
    }

    static let rateSeconds = 10
    private let state = Lock(State())
    private let objective: Objective?

    /// - Parameter objective: nil when the service promises nothing about its requests.
    package init(metrics: Metrics, objective: Objective? = nil) {
        self.objective = objective
        metrics.declare(.requestRate)
        metrics.onScrape { [weak self] in self?.flush(to: $0, now: MonotonicTime.now()) }
    }

    /// - Parameters:
    ///   - method: of a closed set.
    ///   - template: the route's, never the path.
    ///   - took: nanoseconds.
    ///   - now: when the answer was there, as ``MonotonicTime``.
    package func answered(method: String, template: String, status: Int, took: Int64, now: Int64) {
        state.withLock { state in
            let isCovered = state.series[
                Route(method: method, template: template),
                default: Series(isCovered: objective?.covers(template) == true)
            ].count(status, took)
            // 501 says what is not built; anybody may ask for it as often as they like.
            let counts = RollingCounts.Counts(
                all: 1, failed: status >= 500 && status != 501 ? 1 : 0,
                slow: took > objective?.slowNanoseconds ?? .max ? 1 : 0)
            state.rate.add(counts, at: now)
            guard isCovered else { return }
            state.recent.add(counts, at: now)
            state.period.add(counts, at: now)
        }
    }

    /// - Parameter now: as ``MonotonicTime``.
    package func levels(now: Int64) -> Levels {
        state.withLock { Levels(recent: $0.recent.sum(at: now), period: $0.period.sum(at: now)) }
    }

    func flush(to metrics: Metrics, now: Int64) {
        let (counted, rate) = state.withLock { state in
            let counted = state.series
            for route in counted.keys { state.series[route]?.reset() }
            return (counted, state.rate.sum(at: now, whole: true).all)
        }
        metrics.set(.requestRate, to: Double(rate) / Double(Self.rateSeconds))
        for (route, series) in counted {
            for (code, count) in series.statuses {
                metrics.add(.requests, [route.method, route.template, String(code)], by: Double(count))
            }
            metrics.observe(.requestLatency, [route.method, route.template], counted: series.latency)
        }
    }
}

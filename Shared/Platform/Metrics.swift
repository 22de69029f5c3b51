/// The metrics of one process, rendered in the Prometheus text format. Safe from any thread.
package final class Metrics: Sendable {
    /// Series per metric; one more is dropped, so that a label that is not closed can not fill memory.
    package static let maxSeries = 2048

    struct Histogram {
        var counts: [UInt64]
        var sum = 0.0
        var total: UInt64 = 0
    }

    struct Family {
        let name: MetricName
        var values: [[String]: Double] = [:]
        var histograms: [[String]: Histogram] = [:]
    }

    private let families = Lock([String: Family]())
    private let collectors = Lock([@Sendable (Metrics) -> Void]())

    package init() {}

    /// Adds to a counter or gauge. `labels` are the values, in the catalogue's order.
    package func add(_ name: MetricName, _ labels: [String] = [], by amount: Double = 1) {
        update(name) { family in
            guard family.values[labels] != nil || family.values.count < Self.maxSeries else { return }
            family.values[labels, default: 0] += amount
        }
    }

    /// Sets a gauge.
    package func set(_ name: MetricName, _ labels: [String] = [], to value: Double) {
        update(name) { family in
            guard family.values[labels] != nil || family.values.count < Self.maxSeries else { return }
            family.values[labels] = value
        }
    }

    /// Records one value of a histogram, in the unit of its name.
    package func observe(_ name: MetricName, _ labels: [String] = [], _ value: Double) {
        update(name) { family in
            guard family.histograms[labels] != nil || family.histograms.count < Self.maxSeries else { return }
            var histogram =
                family.histograms[labels] ?? Histogram(counts: Array(repeating: 0, count: name.buckets.count))
            if let index = name.buckets.firstIndex(where: { value <= $0 }) { histogram.counts[index] += 1 }
            histogram.sum += value
            histogram.total += 1
            family.histograms[labels] = histogram
        }
    }

    /// Makes metrics visible before their first value, so that alerts on a rate see the series from the start.
    package func declare(_ names: MetricName...) {
        for name in names {
            update(name) { if name.labels.isEmpty && name.kind != .histogram { $0.values[[], default: 0] += 0 } }
        }
    }

    /// Runs before each scrape, to set gauges from the present state.
    package func onScrape(_ collector: @escaping @Sendable (Metrics) -> Void) {
        collectors.withLock { $0.append(collector) }
    }

    /// The current value of a counter or gauge; 0 when it has none.
    package func value(_ name: MetricName, _ labels: [String] = []) -> Double {
        families.withLock { $0[name.name]?.values[labels] ?? 0 }
    }

    /// Every family in the text format, version 0.0.4.
    package func render() -> String {
        for collector in collectors.withLock({ $0 }) { collector(self) }
        return PrometheusText.render(families.withLock { Array($0.values) })
    }

    private func update(_ name: MetricName, _ change: (inout Family) -> Void) {
        families.withLock { change(&$0[name.name, default: Family(name: name)]) }
    }
}

/// The metrics of one process, rendered in the Prometheus text format. Safe from any thread.
package final class Metrics: Sendable {
    /// Series per metric; one more is dropped, so that a label that is not closed can not fill memory.
    package static let maxSeries = 2048

    struct Family {
        let name: MetricName
        var values: [[String]: Double] = [:]
        var histograms: [[String]: HistogramCounts] = [:]
    }

    private let families = Lock([String: Family]())
    private let collectors = Lock([@Sendable (Metrics) -> Void]())

    package init() {}

    /// Adds to a counter or gauge. `labels` are the values, in the catalogue's order.
    package func add(_ name: MetricName, _ labels: [String] = [], by amount: Double = 1) {
        assert(name.isComplete(labels), "\(name.name) \(labels)")
        update(name) { family in
            guard family.values[labels] != nil || family.values.count < Self.maxSeries else { return }
            family.values[labels, default: 0] += amount
        }
    }

    /// Sets a gauge, or a counter that is counted elsewhere.
    package func set(_ name: MetricName, _ labels: [String] = [], to value: Double) {
        assert(name.isComplete(labels), "\(name.name) \(labels)")
        update(name) { family in
            guard family.values[labels] != nil || family.values.count < Self.maxSeries else { return }
            family.values[labels] = value
        }
    }

    /// Records one value of a histogram, in the unit of its name.
    package func observe(_ name: MetricName, _ labels: [String] = [], _ value: Double) {
        change(name, labels) { $0.observe(value, of: name) }
    }

    /// Adds values of a histogram that were counted elsewhere.
    package func observe(_ name: MetricName, _ labels: [String] = [], counted: HistogramCounts) {
        change(name, labels) { $0.add(counted) }
    }

    private func change(_ name: MetricName, _ labels: [String], _ change: (inout HistogramCounts) -> Void) {
        assert(name.isComplete(labels), "\(name.name) \(labels)")
        update(name) { family in
            guard family.histograms[labels] != nil || family.histograms.count < Self.maxSeries else { return }
            change(&family.histograms[labels, default: HistogramCounts(name)])
        }
    }

    /// Shows metrics before their first value, so that a rate sees that too: one series for each value that the labels
    /// may have. Not for metrics with a label whose values are not listed.
    package func declare(_ names: MetricName...) {
        for name in names {
            for labels in name.closedLabels {
                if name.kind == .histogram {
                    observe(name, labels, counted: HistogramCounts(name))
                } else {
                    add(name, labels, by: 0)
                }
            }
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

extension MetricName {
    /// Every combination of what its labels may say; one without labels when it has none.
    fileprivate var closedLabels: [[String]] {
        labels.reduce(into: [[]]) { combinations, label in
            guard case .these(let values) = MetricLabel.of(label, in: self)?.values else {
                preconditionFailure("\(self.name): the values of \(label) are not listed")
            }
            combinations = combinations.flatMap { known in values.map { known + [$0] } }
        }
    }

    /// Whether `labels` gives each label one of its values. A metric of a test, which the catalogue does not know, may
    /// say anything. Asked in debug builds only: it is how tests find a label that is not closed.
    fileprivate func isComplete(_ values: [String]) -> Bool {
        guard values.count == labels.count else { return false }
        return zip(labels, values).allSatisfy { label, value in
            guard case .these(let allowed) = MetricLabel.of(label, in: self)?.values else { return true }
            return allowed.contains(value)
        }
    }
}

/// Observed values, counted by the buckets of their metric.
package struct HistogramCounts: Sendable {
    /// Per bucket, not cumulated; what is beyond the last one is only in `total`.
    var counts: [UInt64]
    var sum = 0.0
    package private(set) var total: UInt64 = 0

    package init(_ name: MetricName) { counts = Array(repeating: 0, count: name.buckets.count) }

    /// - Parameter name: the metric that these counts were made for.
    package mutating func observe(_ value: Double, of name: MetricName) {
        if let index = name.buckets.firstIndex(where: { value <= $0 }) { counts[index] += 1 }
        sum += value
        total += 1
    }

    mutating func add(_ other: HistogramCounts) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum += other.sum
        total += other.total
    }
}

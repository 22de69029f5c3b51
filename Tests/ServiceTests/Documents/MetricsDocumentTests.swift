import Platform
import TestSupport
import Testing

/// docs/metrics.md is the catalogue.
@Suite("Metrics document")
struct MetricsDocumentTests {
    @Test("the document lists every metric with type, labels and meaning")
    func document() throws {
        let sections = MetricCatalogue.groups.map { subject, metrics in
            let rows = metrics.map { metric in
                [
                    "`\(metric.name)`", metric.kind.rawValue, metric.labels.map { "`\($0)`" }.joined(separator: ", "),
                    metric.help,
                ]
            }
            return "### \(subject)\n\n" + GeneratedSection.table(["Name", "Type", "Labels", "Meaning"], rows)
        }
        try GeneratedSection.check("metrics", of: "docs/metrics.md", is: sections.joined(separator: "\n\n"))
    }

    @Test("names follow Prometheus: counters end in _total, times in their unit, and none occurs twice")
    func names() {
        let metrics = MetricCatalogue.groups.flatMap(\.metrics)
        #expect(Set(metrics.map(\.name)).count == metrics.count)
        for metric in metrics {
            #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
            #expect((metric.kind == .histogram) == !metric.buckets.isEmpty, "\(metric.name)")
            #expect(metric.buckets == metric.buckets.sorted(), "\(metric.name)")
            #expect(metric.help.hasSuffix("."), "\(metric.name)")
        }
    }
}

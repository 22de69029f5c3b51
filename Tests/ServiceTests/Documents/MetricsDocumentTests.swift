import Domain
import HTTP
import Platform
import TestSupport
import Testing

/// docs/metrics.md is the catalogue. Serialized: each test may write its own section of the one file.
@Suite("Metrics document", .serialized)
struct MetricsDocumentTests {
    private static let metrics = MetricCatalogue.groups.flatMap(\.metrics)

    @Test("the document lists every metric with type, labels and meaning")
    func document() throws {
        let sections = MetricCatalogue.groups.map { subject, metrics in
            let rows = metrics.flatMap { metric in
                let services = MetricCatalogue.services(of: metric).map(\.rawValue)
                let isEverywhere = services.count == MetricCatalogue.Service.allCases.count
                return metric.shown.map { name in
                    [
                        "`\(name.name)`", name.kind.rawValue, Self.code(name.labels), name.help,
                        isEverywhere ? "every service" : Self.code(services),
                    ]
                }
            }
            return "### \(subject)\n\n"
                + GeneratedSection.table(["Name", "Type", "Labels", "Meaning", "Shown by"], rows)
        }
        try GeneratedSection.check("metrics", of: "docs/metrics.md", is: sections.joined(separator: "\n\n"))
    }

    @Test("the document lists every label with its values")
    func labels() throws {
        let rows = MetricLabel.all.map { label in
            let values =
                switch label.values {
                case .these(let values): Self.code(values)
                case .described(let text): text
                }
            return ["`\(label.name)`", Self.code(label.metrics.flatMap(\.shown).map(\.name)), values]
        }
        let table = GeneratedSection.table(["Label", "Of", "Values"], rows)
        try GeneratedSection.check("labels", of: "docs/metrics.md", is: table)
    }

    @Test("the document lists what is pending, and for what")
    func pending() throws {
        let rows = MetricCatalogue.pending.map {
            ["`\($0.name)`", $0.kind.rawValue, Self.code($0.labels), $0.capability]
        }
        let table = GeneratedSection.table(["Name", "Type", "Labels", "Waits for"], rows)
        try GeneratedSection.check("pending", of: "docs/metrics.md", is: table)
    }

    private static func code(_ words: [String]) -> String { words.map { "`\($0)`" }.joined(separator: ", ") }

    @Test("names follow Prometheus: counters end in _total, times in their unit, and none occurs twice")
    func names() {
        let names = Self.metrics.flatMap(\.shown).map(\.name) + MetricCatalogue.pending.map(\.name)
        #expect(Set(names).count == names.count)
        for metric in Self.metrics {
            #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
            #expect((metric.kind == .histogram) == !metric.buckets.isEmpty, "\(metric.name)")
            #expect(metric.buckets == metric.buckets.sorted(), "\(metric.name)")
            #expect(metric.help.hasSuffix("."), "\(metric.name)")
        }
    }

    @Test("every label of every metric has one set of values, and no set is for a label that is not there")
    func closedSets() {
        for metric in Self.metrics {
            for label in metric.labels {
                let sets = MetricLabel.all.count { $0.name == label && $0.metrics.contains(metric) }
                #expect(sets == 1, "\(metric.name) \(label)")
            }
        }
        for label in MetricLabel.all {
            for metric in label.metrics { #expect(metric.labels.contains(label.name), "\(metric.name) \(label.name)") }
        }
    }

    @Test("the values of labels are the ones that the product knows")
    func productValues() {
        #expect(Self.values("agent", .agentCalls) == ProviderKey.allCases.map(\.rawValue))
        #expect(Self.values("error_type", .agentErrors) == CallFailure.Kind.allCases.map(\.rawValue))
        #expect(Self.values("verdict", .receipts) == Verdict.allCases.map(\.rawValue))
        let refusals: [HTTPError] = [
            .malformed(""), .headTooLarge, .uriTooLong, .bodyTooLarge, .requestTimeout, .unknownCoding,
            .versionNotSupported, .expectationFailed, .handlerDeadline,
        ]
        #expect(Self.values("limit", .limitHits) == refusals.map(\.code))
        #expect(Self.values("kind", .claims) == Claim.Kind.allCases.map(\.rawValue))
    }

    private static func values(_ label: String, _ metric: MetricName) -> [String]? {
        guard case .these(let values) = MetricLabel.of(label, in: metric)?.values else { return nil }
        return values
    }
}

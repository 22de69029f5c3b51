import Foundation
import Testing

@testable import Platform

@Suite("Metrics")
struct MetricsTests {
    static let counter = MetricName("t_total", .counter, "A counter.", labels: ["kind", "text"])
    static let gauge = MetricName("t_gauge", .gauge, "A \\ back\nand more.")
    static let histogram = MetricName(
        "t_seconds", .histogram, "A histogram.", labels: ["route"], buckets: [0.1, 0.5, 1])

    /// One line of a scrape: name, labels and value.
    struct Sample: Equatable {
        let name: String
        let labels: [String: String]
        let value: String
    }

    /// Reads the text format as Prometheus does; a line it would refuse is an error.
    static func parse(_ text: String) throws -> (samples: [Sample], types: [String: String]) {
        var samples: [Sample] = []
        var types: [String: String] = [:]
        var helped: Set<String> = []
        try #require(text.isEmpty || text.hasSuffix("\n"))
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# HELP ") {
                let name = String(line.split(separator: " ")[2])
                try #require(helped.insert(name).inserted, "\(name) has two HELP lines")
                continue
            }
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ").map(String.init)
                try #require(words.count == 4 && types.updateValue(words[3], forKey: words[2]) == nil)
                continue
            }
            samples.append(try sample(line))
        }
        return (samples, types)
    }

    private static func sample(_ line: Substring) throws -> Sample {
        let pattern = /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/
        let match = try #require(try pattern.wholeMatch(in: line), "\(line)")
        try #require(["+Inf", "-Inf", "NaN"].contains(match.3) || Double(match.3) != nil, "\(line)")
        var labels: [String: String] = [:]
        var rest = match.2 ?? ""
        while !rest.isEmpty {
            let one = try #require(
                try /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\\\|\\"|\\n)*)"(,|$)/.prefixMatch(in: rest), "\(line)")
            labels[String(one.1)] = String(one.2).replacing("\\n", with: "\n").replacing("\\\"", with: "\"").replacing(
                "\\\\", with: "\\")
            rest = rest[one.range.upperBound...]
        }
        return Sample(name: String(match.1), labels: labels, value: String(match.3))
    }

    @Test("show help and type once, and a value for each set of labels")
    func families() throws {
        let metrics = Metrics()
        metrics.add(Self.counter, ["a", "x"])
        metrics.add(Self.counter, ["a", "x"], by: 1.5)
        metrics.add(Self.counter, ["b", "x"])
        metrics.set(Self.gauge, to: -3)
        let text = metrics.render()
        let (samples, types) = try Self.parse(text)
        #expect(types == ["t_total": "counter", "t_gauge": "gauge"])
        #expect(samples.contains(Sample(name: "t_total", labels: ["kind": "a", "text": "x"], value: "2.5")))
        #expect(samples.contains(Sample(name: "t_gauge", labels: [:], value: "-3")))
        #expect(samples.count == 3)
        #expect(text.contains("# HELP t_gauge A \\\\ back\\nand more.\n"))
        #expect(metrics.value(Self.counter, ["a", "x"]) == 2.5)
    }

    @Test("escape label values", arguments: ["\"", "\\", "\n", "a\"},b{c=\"", "\\n", "é漢"])
    func labels(value: String) throws {
        let metrics = Metrics()
        metrics.add(Self.counter, ["k", value])
        let (samples, _) = try Self.parse(metrics.render())
        #expect(samples.count == 1)
        if !value.contains("\\n") { #expect(samples.first?.labels["text"] == value) }
    }

    @Test("count each observation in every bucket that holds it")
    func buckets() throws {
        let metrics = Metrics()
        for value in [0.05, 0.1, 0.3, 0.5, 0.9, 4] { metrics.observe(Self.histogram, ["/x"], value) }
        let (samples, types) = try Self.parse(metrics.render())
        #expect(types["t_seconds"] == "histogram")
        let buckets = samples.filter { $0.name == "t_seconds_bucket" }
        #expect(buckets.map { $0.labels["le"] } == ["0.1", "0.5", "1", "+Inf"])
        #expect(buckets.map(\.value) == ["2", "4", "5", "6"])
        #expect(buckets.allSatisfy { $0.labels["route"] == "/x" })
        #expect(samples.first { $0.name == "t_seconds_count" }?.value == "6")
        let sum = try #require(samples.first { $0.name == "t_seconds_sum" }.flatMap { Double($0.value) })
        #expect(abs(sum - 5.85) < 1e-9)
    }

    @Test(
        "write the numbers that Prometheus reads",
        arguments: [
            (0.0, "0"), (1.0, "1"), (-2.0, "-2"), (0.25, "0.25"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (.nan, "NaN"),
            (1e15, "1000000000000000.0"), (1e17, "1e+17"), (999_999_999_999_999, "999999999999999"), (1e-7, "1e-07"),
        ])
    func numbers(value: Double, text: String) throws {
        let metrics = Metrics()
        metrics.set(Self.gauge, to: value)
        #expect(try Self.parse(metrics.render()).samples.first?.value == text)
    }

    @Test("drop a series beyond the bound, and go on counting those they have")
    func bound() throws {
        let metrics = Metrics()
        for index in 0..<(Metrics.maxSeries + 5) {
            metrics.add(Self.counter, ["\(index)", ""])
            metrics.observe(Self.histogram, ["\(index)"], 1)
        }
        metrics.add(Self.counter, ["0", ""])
        let (samples, _) = try Self.parse(metrics.render())
        #expect(samples.filter { $0.name == "t_total" }.count == Metrics.maxSeries)
        #expect(samples.filter { $0.name == "t_seconds_count" }.count == Metrics.maxSeries)
        #expect(metrics.value(Self.counter, ["0", ""]) == 2)
        #expect(metrics.value(Self.counter, ["\(Metrics.maxSeries)", ""]) == 0)
    }

    @Test("show declared series before their first value, and ask collectors at each scrape")
    func declared() throws {
        let metrics = Metrics()
        metrics.declare(Self.gauge)
        metrics.onScrape { $0.add(Self.counter, ["scrape", ""]) }
        _ = metrics.render()
        let (samples, _) = try Self.parse(metrics.render())
        #expect(samples.first { $0.name == "t_gauge" }?.value == "0")
        #expect(samples.first { $0.name == "t_total" }?.value == "2")
    }

    @Test("of the process are there and plausible")
    func process() throws {
        let metrics = Metrics()
        ProcessMetrics.register(in: metrics, startedAtMilliseconds: 1_500)
        let (samples, _) = try Self.parse(metrics.render())
        func value(_ name: String) -> Double { samples.first { $0.name == name }.flatMap { Double($0.value) } ?? -1 }
        #expect(value("process_start_time_seconds") == 1.5)
        #expect(value("process_resident_memory_bytes") > 1_000_000)
        #expect(value("process_cpu_seconds_total") > 0)
        #expect(value("process_open_fds") > 2)
        #expect(value("process_max_fds") >= value("process_open_fds"))
        #expect(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"))
        #expect(value("process_threads") >= 1)
    }

    @Test("show the same series under a second name")
    func secondName() throws {
        let metrics = Metrics()
        metrics.add(.requests, ["GET", "/healthz", "200"], by: 3)
        metrics.observe(.requestLatency, ["GET", "/healthz"], 0.002)
        let (samples, types) = try Self.parse(metrics.render())
        for (first, second) in [
            ("aragora_requests_total", "aragora_http_requests_total"),
            ("aragora_request_latency_seconds", "aragora_http_request_duration_seconds"),
        ] {
            let (left, right) = (
                samples.filter { $0.name.hasPrefix(first) }, samples.filter { $0.name.hasPrefix(second) }
            )
            #expect(!left.isEmpty && types[first] == types[second])
            #expect(left.map(\.value) == right.map(\.value) && left.map(\.labels) == right.map(\.labels))
        }
    }

    @Test("take values of a histogram that were counted elsewhere")
    func countedElsewhere() throws {
        let metrics = Metrics()
        var counts = HistogramCounts(Self.histogram)
        for value in [0.0625, 0.25, 4] { counts.observe(value, of: Self.histogram) }
        metrics.observe(Self.histogram, ["/x"], 0.0625)
        metrics.observe(Self.histogram, ["/x"], counted: counts)
        let (samples, _) = try Self.parse(metrics.render())
        #expect(samples.filter { $0.name == "t_seconds_bucket" }.map(\.value) == ["2", "3", "3", "4"])
        #expect(samples.first { $0.name == "t_seconds_sum" }?.value == "4.375")
    }

    @Test("survive many threads at once")
    func threads() async {
        let metrics = Metrics()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        metrics.add(Self.counter, ["t", ""])
                        metrics.observe(Self.histogram, ["t"], 0.2)
                    }
                    _ = metrics.render()
                }
            }
        }
        #expect(metrics.value(Self.counter, ["t", ""]) == 8000)
    }
}

/// The Prometheus text exposition format, version 0.0.4.
enum PrometheusText {
    static func render(_ families: [Metrics.Family]) -> String {
        var out = ""
        let shown = families.flatMap { family in family.name.shown.map { (name: $0, family: family) } }
        for (name, family) in shown.sorted(by: { $0.name.name < $1.name.name }) {
            guard !family.values.isEmpty || !family.histograms.isEmpty else { continue }
            out += "# HELP \(name.name) \(escapeHelp(name.help))\n"
            out += "# TYPE \(name.name) \(name.kind.rawValue)\n"
            for (labels, value) in sorted(family.values) {
                out += name.name + labelSet(name.labels, labels) + " " + number(value) + "\n"
            }
            for (labels, histogram) in sorted(family.histograms) { append(histogram, name, labels, to: &out) }
        }
        return out
    }

    private static func append(
        _ histogram: HistogramCounts, _ name: MetricName, _ labels: [String], to out: inout String
    ) {
        var cumulative: UInt64 = 0
        for (bound, count) in zip(name.buckets, histogram.counts) {
            cumulative += count
            out += name.name + "_bucket" + labelSet(name.labels + ["le"], labels + [number(bound)]) + " \(cumulative)\n"
        }
        out += name.name + "_bucket" + labelSet(name.labels + ["le"], labels + ["+Inf"]) + " \(histogram.total)\n"
        out += name.name + "_sum" + labelSet(name.labels, labels) + " " + number(histogram.sum) + "\n"
        out += name.name + "_count" + labelSet(name.labels, labels) + " \(histogram.total)\n"
    }

    private static func sorted<Value>(_ series: [[String]: Value]) -> [([String], Value)] {
        series.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }

    private static func labelSet(_ names: [String], _ values: [String]) -> String {
        guard !names.isEmpty else { return "" }
        return "{" + zip(names, values).map { "\($0)=\"\(escapeLabel($1))\"" }.joined(separator: ",") + "}"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    private static func escapeLabel(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func escapeHelp(_ text: String) -> String {
        text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
            .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
    }
}

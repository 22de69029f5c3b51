import Contracts
import Simulation

/// Studies as tables for people, and as JSON.
enum SimulationTable {
    static func lines(of report: StudyReport) -> [String] {
        let head =
            "\(report.study.rawValue): \(report.study.about); \(report.debates) debates each, seed \(report.seed)"
        let width = report.findings.map(\.name.count).max() ?? 0
        let rows = report.findings.map { finding in
            let name = finding.name + String(repeating: " ", count: width - finding.name.count)
            let figure = "\(text(finding.estimate.value, finding.unit)) (\(interval(finding)))"
            let verdict = finding.expectation.map { "  \($0.text): \($0.isMet ? "met" : "MISSED")" } ?? ""
            return "  \(name)  \(figure)\(verdict)"
        }
        return [head] + rows + [""]
    }

    static func lines(of speeds: [SimulationSpeed]) -> [String] {
        speeds.map { speed in
            let verdict = speed.isJudged ? "  ≥ \(Int(SimulationSpeed.target)): \(speed.isMet ? "met" : "MISSED")" : ""
            return "speed: \(Int(speed.debatesPerSecond)) debates/s, \(Int(speed.eventsPerSecond)) events/s on "
                + "\(speed.threads) \(speed.threads == 1 ? "thread" : "threads")\(verdict)"
        }
    }

    private static func interval(_ finding: Finding) -> String {
        "\(text(finding.estimate.low, finding.unit)) … \(text(finding.estimate.high, finding.unit))"
    }

    private static func text(_ value: Double, _ unit: Finding.Unit) -> String {
        let digits = (abs(value) * (unit == .share ? 10_000 : 1_000)).rounded()
        let whole = Int(digits) / (unit == .share ? 100 : 1_000)
        let rest = String(Int(digits) % (unit == .share ? 100 : 1_000))
        let padding = String(repeating: "0", count: (unit == .share ? 2 : 3) - rest.count)
        return "\(value < 0 && digits > 0 ? "-" : "")\(whole).\(padding)\(rest)\(unit == .share ? " %" : "")"
    }

    static func json(of reports: [StudyReport], _ speeds: [SimulationSpeed]) -> String {
        let document: JSONValue = [
            "studies": .array(reports.map(json(of:))), "speed": .array(speeds.map(json(of:))),
        ]
        return String(decoding: document.bytes, as: UTF8.self)
    }

    private static func json(of report: StudyReport) -> JSONValue {
        [
            "study": .string(report.study.rawValue), "about": .string(report.study.about),
            "seed": .int(Int64(bitPattern: report.seed)), "debates": .int(Int64(report.debates)),
            "met": .bool(report.isMet), "findings": .array(report.findings.map(json(of:))),
        ]
    }

    private static func json(of finding: Finding) -> JSONValue {
        var object = JSONObject([
            ("name", .string(finding.name)), ("unit", .string(finding.unit.rawValue)),
            ("value", .fraction(finding.estimate.value)), ("low", .fraction(finding.estimate.low)),
            ("high", .fraction(finding.estimate.high)),
        ])
        if let expectation = finding.expectation {
            object.append("target", .string(expectation.text))
            object.append("met", .bool(expectation.isMet))
        }
        return .object(object)
    }

    private static func json(of speed: SimulationSpeed) -> JSONValue {
        [
            "threads": .int(Int64(speed.threads)), "debates": .int(Int64(speed.debates)),
            "debates_per_second": .fraction(speed.debatesPerSecond),
            "events_per_second": .fraction(speed.eventsPerSecond), "met": .bool(speed.isMet),
        ]
    }
}

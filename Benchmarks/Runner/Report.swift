import Contracts
import Platform

/// All that one run found, as JSON.
struct Report: Sendable {
    enum Outcome: Sendable {
        case measured([Figure])
        case skipped(String)
        case failed(String)
    }

    let machine: Machine
    let isQuick: Bool
    private(set) var outcomes: [(name: String, outcome: Outcome)] = []

    init(machine: Machine, isQuick: Bool) {
        self.machine = machine
        self.isQuick = isQuick
    }

    mutating func add(_ name: String, _ outcome: Outcome) { outcomes.append((name, outcome)) }

    var hasFailures: Bool {
        outcomes.contains { if case .failed = $0.outcome { true } else { false } }
    }

    func write(to path: String) {
        guard TextFile.write(JSONValue.object(json).bytes + [UInt8(ascii: "\n")], to: path) else {
            return Terminal.error("warning: \(path) could not be written")
        }
    }

    private var json: JSONObject {
        var results = JSONObject()
        for (name, outcome) in outcomes {
            switch outcome {
            case .measured(let figures): results.append(name, ["figures": .array(figures.map(\.json))])
            case .skipped(let reason): results.append(name, ["skipped": .string(reason)])
            case .failed(let reason): results.append(name, ["failed": .string(reason)])
            }
        }
        return JSONObject([
            ("date", .string(ISO8601.string(milliseconds: WallClock.nowMilliseconds()))), ("machine", machine.json),
            ("quick", .bool(isQuick)), ("results", .object(results)),
        ])
    }
}

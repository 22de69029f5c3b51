import Contracts

/// One number that was measured, what it should be, and the rounds behind it.
struct Figure: Sendable {
    /// What docs/performance.md and design §8 promise.
    enum Aim: Sendable {
        case atMost(Double)
        case atLeast(Double)
        /// The value divided by the rival's of the same run.
        case ratioAtMost(Double)
        case ratioAtLeast(Double)
    }

    /// What else did the same work in the same run.
    struct Rival: Sendable {
        let name: String
        let value: Double
    }

    let name: String
    /// Median of the rounds, or a percentile over all of them when ``isPercentile``.
    let value: Double
    let unit: String
    var rounds: [Double] = []
    var aim: Aim?
    var rival: Rival?
    /// How it was measured, where the name does not say.
    var note = ""
    /// Synchronous writes a second of this disk, from pg_test_fsync right before; set for everything that commits.
    var fsyncsPerSecond: Double?

    /// The median of rounds.
    init(_ name: String, medianOf rounds: [Double], _ unit: String) {
        self.init(name, rounds.median, unit)
        self.rounds = rounds
    }

    init(_ name: String, _ value: Double, _ unit: String) {
        self.name = name
        self.value = value
        self.unit = unit
    }

    func with(_ change: (inout Figure) -> Void) -> Figure {
        var copy = self
        change(&copy)
        return copy
    }

    var ratio: Double? { rival.map { $0.value == 0 ? .nan : value / $0.value } }

    /// Nil without an aim.
    var isMet: Bool? {
        switch aim {
        case .atMost(let limit): value <= limit
        case .atLeast(let limit): value >= limit
        case .ratioAtMost(let limit): ratio.map { $0 <= limit }
        case .ratioAtLeast(let limit): ratio.map { $0 >= limit }
        case nil: nil
        }
    }

    var aimText: String {
        switch aim {
        case .atMost(let limit): "≤ \(NumberText.short(limit)) \(unit)"
        case .atLeast(let limit): "≥ \(NumberText.short(limit)) \(unit)"
        case .ratioAtMost(let limit): "≤ \(NumberText.short(limit)) × \(rival?.name ?? "")"
        case .ratioAtLeast(let limit): "≥ \(NumberText.short(limit)) × \(rival?.name ?? "")"
        case nil: ""
        }
    }

    /// One line for a person.
    var line: String {
        var parts = ["\(name): \(NumberText.short(value)) \(unit)"]
        if let rival {
            parts.append("\(rival.name) \(NumberText.short(rival.value)), ratio \(NumberText.short(ratio ?? .nan))")
        }
        if let isMet { parts.append("aim \(aimText): \(isMet ? "met" : "MISSED")") }
        if rounds.count > 1 {
            parts.append("rounds \(NumberText.short(rounds.min() ?? 0))…\(NumberText.short(rounds.max() ?? 0))")
        }
        if let fsyncsPerSecond { parts.append("disk: \(NumberText.short(fsyncsPerSecond)) fdatasync/s") }
        if !note.isEmpty { parts.append(note) }
        return parts.joined(separator: "; ")
    }

    var json: JSONValue {
        var object = JSONObject([
            ("name", .string(name)), ("value", .fraction(value)), ("unit", .string(unit)),
            ("rounds", .array(rounds.map { .fraction($0) })),
        ])
        if let rival {
            object.append("rival", ["name": .string(rival.name), "value": .fraction(rival.value)])
            object.append("ratio", .fraction(ratio ?? .nan))
        }
        if let isMet {
            object.append("aim", .string(aimText))
            object.append("met", .bool(isMet))
        }
        if let fsyncsPerSecond { object.append("fdatasync_per_second", .fraction(fsyncsPerSecond)) }
        if !note.isEmpty { object.append("note", .string(note)) }
        return .object(object)
    }
}

/// How fast the machine was.
struct SimulationSpeed {
    /// Debates a second of one process, three agents and three rounds each.
    static let target = 5_000.0
    static let mostDebates = 40_000

    let threads: Int
    let debates: Int
    let events: Int
    let seconds: Double
    /// Whether the target is stated for it.
    let isJudged: Bool

    var debatesPerSecond: Double { Double(debates) / seconds }
    var eventsPerSecond: Double { Double(events) / seconds }
    var isMet: Bool { !isJudged || debatesPerSecond >= Self.target }

    static func debates(_ wanted: Int) -> Int { min(wanted, mostDebates) }
}

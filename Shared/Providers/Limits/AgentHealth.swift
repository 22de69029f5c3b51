/// Whether a provider's agents answer, as people are shown it: unhealthy after ``failuresToFall`` failures in a row,
/// healthy again after ``successesToRise`` answers in a row. Stops nothing; that is the breaker's part. A pure value.
package struct AgentHealth: Sendable, Hashable {
    package static let failuresToFall = 3
    package static let successesToRise = 2

    package private(set) var isHealthy = true
    private var streak = 0

    package init() {}

    package mutating func record(succeeded: Bool) {
        guard succeeded != isHealthy else {
            streak = 0
            return
        }
        streak += 1
        guard streak >= (isHealthy ? Self.failuresToFall : Self.successesToRise) else { return }
        isHealthy.toggle()
        streak = 0
    }
}

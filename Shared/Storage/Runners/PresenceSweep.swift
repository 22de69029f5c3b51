package import Domain
package import Platform

/// Remembers sweeps over the presence locks, so that nobody is called dead, and nothing adopted, in haste.
///
/// A value per connection: a new connection begins from nothing, because after an outage owners go first.
package struct PresenceSweep: Sendable {
    /// Clean sweeps must have gone on for this long before anything may be adopted.
    package static let settling: Duration = .seconds(2)

    package struct Finding: Sendable, Hashable {
        /// Absent in two consecutive sweeps.
        package let dead: [RunnerID]
        /// Sweeps have been clean for long enough; until then adopt nothing.
        package let mayAdopt: Bool
    }

    private var suspects: Set<RunnerID> = []
    private var cleanSince: BootInstant?

    package init() {}

    /// Takes in one sweep that was answered.
    package mutating func saw(absent: [RunnerID], now: BootInstant) -> Finding {
        let since = cleanSince ?? now
        cleanSince = since
        let dead = absent.filter(suspects.contains)
        suspects = Set(absent)
        let settled = now.since(since) >= Self.settling
        return Finding(dead: settled ? dead : [], mayAdopt: settled)
    }
}

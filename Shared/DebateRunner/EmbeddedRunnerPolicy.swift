/// Whether `aragora-api` runs debates itself: small installs have no worker (design §1, "Embedded runner").
package enum EmbeddedRunnerPolicy: String, Sendable, CaseIterable {
    case auto, on, off

    /// A debate that waited this long is run here although workers are registered: they are full, or stuck.
    package static let patience: Duration = .seconds(10)

    /// What is known when a debate could be claimed.
    package struct Situation: Sendable {
        /// Registered workers with a live lease, this process's own embedded runner not counted.
        package let liveWorkers: Int
        /// Nil when none is queued.
        package let longestWait: Duration?

        package init(liveWorkers: Int, longestWait: Duration?) {
            self.liveWorkers = liveWorkers
            self.longestWait = longestWait
        }
    }

    /// Whether to claim debates now. Debates that run already run on, whatever this says later.
    package func mayClaim(_ situation: Situation) -> Bool {
        switch self {
        case .on: true
        case .off: false
        case .auto: situation.liveWorkers == 0 || (situation.longestWait ?? .zero) >= Self.patience
        }
    }
}

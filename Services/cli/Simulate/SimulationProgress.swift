import Platform
import Sockets

/// The line that says how far a study is: on a terminal twice a second, elsewhere every ten seconds.
final class SimulationProgress: Sendable {
    private static let terminalInterval: Int64 = 500_000_000
    private static let logInterval: Int64 = 10_000_000_000

    private let console: Console
    private let label: String
    private let total: Int
    private let last: Lock<Int64>

    init(console: Console, label: String, total: Int) {
        self.console = console
        self.label = label
        self.total = total
        last = Lock(MonotonicTime.now())
    }

    func show(_ done: Int) {
        let now = MonotonicTime.now()
        let isDue = last.withLock { last in
            guard now - last >= (console.isInteractive ? Self.terminalInterval : Self.logInterval) else { return false }
            last = now
            return true
        }
        guard isDue else { return }
        let text = "\(label): \(done) of \(total) debates"
        if console.isInteractive { console.progress(text) } else { console.note(text) }
    }
}

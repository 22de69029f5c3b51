import Glibc
import Platform

/// Somebody wants the run to end at once: then everything that was started is still stopped.
final class Interruption: Sendable {
    private let state = Lock(false)

    var isWanted: Bool { state.withLock { $0 } }

    /// From now on SIGINT and SIGTERM are heard; once per process.
    func listen() { ProcessSignals.forward([SIGINT, SIGTERM]) { [state] _ in state.withLock { $0 = true } } }
}

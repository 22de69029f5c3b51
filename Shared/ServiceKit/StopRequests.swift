package import Platform
package import Sockets

/// What a request to stop does: readiness goes at once, and where a delay is set, listeners stay until whoever sends us
/// work has noticed. A second request means without delay, a third now.
package final class StopRequests: Sendable {
    private let shutdown: ShutdownSignal
    private let state = Lock<(delay: Duration, loop: EventLoop?)>((.zero, nil))

    package init(_ shutdown: ShutdownSignal) { self.shutdown = shutdown }

    /// From now on the first request waits for `delay` on `loop`.
    package func wait(_ delay: Duration, on loop: EventLoop) { state.withLock { $0 = (delay, loop) } }

    /// Somebody wants the process to stop; from any thread.
    package func request() {
        let (delay, loop) = state.withLock { $0 }
        guard let loop, delay > .zero, shutdown.leave() else { return shutdown.request() }
        loop.execute { [shutdown] in loop.schedule(after: delay) { shutdown.advance(to: .draining) } }
    }
}

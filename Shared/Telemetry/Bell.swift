import Platform
import Sockets

/// Ends a pause early. A ring before the pause counts.
final class Bell: Sendable {
    private struct State {
        var hasRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Lock(State())

    /// From any thread.
    func ring() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state.waiter = nil }
            state.hasRung = state.waiter == nil
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns at a ring, after a while, or when the task is cancelled. One caller at a time.
    func wait(atMost duration: Duration, on loop: EventLoop) async {
        let timer = loop.schedule(after: duration) { [weak self] in self?.ring() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state -> Bool in
                    if !state.hasRung && !Task.isCancelled { state.waiter = continuation }
                    return state.waiter == nil
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
        loop.cancel(timer)
        state.withLock { $0.hasRung = false }
    }
}

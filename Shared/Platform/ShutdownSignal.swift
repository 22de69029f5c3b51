/// Tells everything that runs to stop, in two steps: drain (finish what you hold), then cancel (now).
package final class ShutdownSignal: Sendable {
    package enum Phase: Int, Sendable, Comparable {
        case running, draining, cancelled
        package static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    private struct State {
        var phase = Phase.running
        var waiters: [(Phase, @Sendable () -> Void)] = []
    }

    private let state = Lock(State())

    package init() {}

    package var phase: Phase { state.withLock { $0.phase } }

    /// One step further: the first call drains, the second cancels. May be called from any thread.
    package func request() { advance(to: phase == .running ? .draining : .cancelled) }

    /// Moves to `phase` if that is later than where we are, and wakes who waited for it.
    package func advance(to phase: Phase) {
        let due = state.withLock { state -> [@Sendable () -> Void] in
            guard phase > state.phase else { return [] }
            state.phase = phase
            let due = state.waiters.filter { $0.0 <= phase }.map { $0.1 }
            state.waiters.removeAll { $0.0 <= phase }
            return due
        }
        for callback in due { callback() }
    }

    /// Calls back once when `phase` is reached, at once if it was; on whichever thread advances the signal.
    package func onReaching(_ phase: Phase, _ callback: @escaping @Sendable () -> Void) {
        let now = state.withLock { state in
            if state.phase >= phase { return true }
            state.waiters.append((phase, callback))
            return false
        }
        if now { callback() }
    }

    /// Returns when `phase` is reached, or at once when the task is cancelled.
    package func waitOrCancel(for phase: Phase) async {
        let once = Lock<CheckedContinuation<Void, Never>?>(nil)
        let resume: @Sendable () -> Void = {
            once.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }?.resume()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                once.withLock { $0 = continuation }
                onReaching(phase, resume)
                if Task.isCancelled { resume() }
            }
        } onCancel: {
            resume()
        }
    }

    /// Returns when `phase` is reached.
    package func wait(for phase: Phase) async {
        await withCheckedContinuation { continuation in
            onReaching(phase) { continuation.resume() }
        }
    }
}

/// Tells everything that runs to stop, in two steps: drain (finish what you hold), then cancel (now).
package final class ShutdownSignal: Sendable {
    package enum Phase: Int, Sendable, Comparable {
        case running, draining, cancelled
        package static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    private struct Waiter {
        let id: Int
        let phase: Phase
        let callback: @Sendable () -> Void
    }

    private struct State {
        var phase = Phase.running
        var isLeaving = false
        var waiters: [Waiter] = []
        var nextID = 0
    }

    private let state = Lock(State())

    package init() {}

    package var phase: Phase { state.withLock { $0.phase } }

    /// Whether the process is about to stop and still serves: whoever sends it work should choose another.
    package var isLeaving: Bool { state.withLock { $0.isLeaving || $0.phase > .running } }

    /// Says so. - Returns: false when it was said before, or the process stops already.
    package func leave() -> Bool {
        state.withLock { state in
            guard state.phase == .running, !state.isLeaving else { return false }
            state.isLeaving = true
            return true
        }
    }

    /// One step further: the first call drains, the second cancels. May be called from any thread.
    package func request() { advance(to: phase == .running ? .draining : .cancelled) }

    /// Moves to `phase` if that is later than where we are, and wakes who waited for it.
    package func advance(to phase: Phase) {
        let due = state.withLock { state -> [@Sendable () -> Void] in
            guard phase > state.phase else { return [] }
            state.phase = phase
            let due = state.waiters.filter { $0.phase <= phase }.map(\.callback)
            state.waiters.removeAll { $0.phase <= phase }
            return due
        }
        for callback in due { callback() }
    }

    /// Calls back once when `phase` is reached, at once if it was; on whichever thread advances the signal.
    package func onReaching(_ phase: Phase, _ callback: @escaping @Sendable () -> Void) {
        if add(phase, callback) == nil { callback() }
    }

    /// How many wait for a phase that has not come.
    var waiters: Int { state.withLock { $0.waiters.count } }

    /// Returns when `phase` is reached, or at once when the task is cancelled.
    package func waitOrCancel(for phase: Phase) async {
        let once = Lock<CheckedContinuation<Void, Never>?>(nil)
        let id = Lock<Int?>(nil)
        let resume: @Sendable () -> Void = {
            once.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }?.resume()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                once.withLock { $0 = continuation }
                let added = add(phase, resume)
                id.withLock { $0 = added }
                if added == nil || Task.isCancelled { resume() }
            }
        } onCancel: {
            resume()
        }
        // One that was cancelled must not stay until the process ends.
        if let id = id.withLock({ $0 }) { remove(id) }
    }

    /// Returns when `phase` is reached.
    package func wait(for phase: Phase) async {
        await withCheckedContinuation { continuation in
            onReaching(phase) { continuation.resume() }
        }
    }

    /// Nil when `phase` was reached already.
    private func add(_ phase: Phase, _ callback: @escaping @Sendable () -> Void) -> Int? {
        state.withLock { state in
            guard state.phase < phase else { return nil }
            state.nextID += 1
            state.waiters.append(Waiter(id: state.nextID, phase: phase, callback: callback))
            return state.nextID
        }
    }

    private func remove(_ id: Int) { state.withLock { $0.waiters.removeAll { $0.id == id } } }
}

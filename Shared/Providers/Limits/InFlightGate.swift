import Platform
import Sockets

/// Lets a bounded number of calls through at a time; others wait in order, for a bounded time. Safe from any thread.
final class InFlightGate: Sendable {
    /// Calls that may wait; one more is refused.
    static let maxWaiting = 4096

    enum Admission: Sendable { case admitted, full, timedOut, cancelled }

    private struct State {
        var inFlight = 0
        var nextTicket: UInt64 = 0
        var waiting: [(ticket: UInt64, continuation: CheckedContinuation<Admission, Never>)] = []
        /// Tickets that ended before they began to wait.
        var ended: [UInt64: Admission] = [:]
    }

    private let capacity: Int
    private let state = Lock(State())

    init(capacity: Int) { self.capacity = capacity }

    var inFlight: Int { state.withLock { $0.inFlight } }
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Waits for a place. After `.admitted`, call ``release()`` once.
    func enter(within limit: Duration, on loop: EventLoop) async -> Admission {
        let isFree = state.withLock { state in
            guard state.inFlight < capacity else { return false }
            state.inFlight += 1
            return true
        }
        return isFree ? .admitted : await wait(within: limit, on: loop)
    }

    func release() {
        let next = state.withLock { state -> CheckedContinuation<Admission, Never>? in
            // The place goes straight to who waits longest.
            guard state.waiting.isEmpty else { return state.waiting.removeFirst().continuation }
            state.inFlight -= 1
            return nil
        }
        next?.resume(returning: .admitted)
    }

    private func wait(within limit: Duration, on loop: EventLoop) async -> Admission {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let timer = Lock<LoopTimer?>(nil)
        loop.execute { [self] in
            let made = loop.schedule(after: limit) { self.end(ticket, .timedOut) }
            timer.withLock { $0 = made }
        }
        let admission = await withTaskCancellationHandler {
            await withCheckedContinuation { join(ticket, $0) }
        } onCancel: {
            end(ticket, .cancelled)
        }
        loop.execute { if let made = timer.withLock({ $0 }) { loop.cancel(made) } }
        state.withLock { $0.ended[ticket] = nil }
        return admission
    }

    private func join(_ ticket: UInt64, _ continuation: CheckedContinuation<Admission, Never>) {
        let now = state.withLock { state -> Admission? in
            if let ended = state.ended[ticket] { return ended }
            if state.inFlight < capacity {
                state.inFlight += 1
                return .admitted
            }
            guard state.waiting.count < Self.maxWaiting else { return .full }
            state.waiting.append((ticket, continuation))
            return nil
        }
        if let now { continuation.resume(returning: now) }
    }

    private func end(_ ticket: UInt64, _ admission: Admission) {
        let waiter = state.withLock { state -> CheckedContinuation<Admission, Never>? in
            guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
                state.ended[ticket] = admission
                return nil
            }
            return state.waiting.remove(at: index).continuation
        }
        waiter?.resume(returning: admission)
    }
}

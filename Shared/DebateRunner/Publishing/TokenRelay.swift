import Contracts
import Domain
import Platform

/// Passes one call's text on to viewers, gathered into at most twenty pieces a second.
///
/// The first piece waits as long as every other, so a call that is over sooner sends nothing: its message is stored by then.
final class TokenRelay: Sendable {
    /// Between two pieces of a call (design §2.6).
    static let interval: Duration = .milliseconds(50)
    /// Text that waits for the next piece; what exceeds it is dropped, and the stored message has it.
    static let maxPendingBytes = 16 * 1024

    private struct State {
        var pending = ""
        /// UTF-16 code units that were passed on.
        var offset = 0
        var isScheduled = false
        var hasStarted = false
        var hasEnded = false
    }

    private let request: CallRequest
    private let publisher: any RunPublisher
    private let schedule: Schedule
    private let state = Lock(State())

    /// Calls back once the duration has passed, on the loop.
    typealias Schedule = @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    init(_ request: CallRequest, publisher: any RunPublisher, schedule: @escaping Schedule) {
        self.request = request
        self.publisher = publisher
        self.schedule = schedule
    }

    /// More text; on the loop.
    func add(_ text: String) {
        let schedules = state.withLock { state in
            guard !state.hasEnded, state.pending.utf8.count + text.utf8.count <= Self.maxPendingBytes else {
                return false
            }
            state.pending += text
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if schedules { schedule(Self.interval) { self.flush() } }
    }

    /// The call is over; on the loop. Nothing is sent afterwards.
    func end() {
        let hasStarted = state.withLock { $0.hasStarted }
        if hasStarted { flush() }
        let length = state.withLock { state in
            state.hasEnded = true
            return state.offset
        }
        if hasStarted { send(.end(length: length)) }
    }

    private func flush() {
        let (first, text, offset) = state.withLock { state -> (Bool, String, Int) in
            state.isScheduled = false
            guard !state.hasEnded, !state.pending.isEmpty else { return (false, "", 0) }
            let piece = (!state.hasStarted, state.pending, state.offset)
            state.hasStarted = true
            state.offset += state.pending.utf16.count
            state.pending = ""
            return piece
        }
        guard !text.isEmpty else { return }
        if first { send(.start) }
        send(.delta(text: text, offset: offset))
    }

    private func send(_ kind: TokenMessage.Kind) {
        let message = TokenMessage(
            kind, debate: request.debate, call: CallReference(key: request.call.key, attempt: request.attempt),
            epoch: request.epoch, agent: request.call.agent.name, round: request.call.round, phase: request.call.phase)
        publisher.live(
            request.debate, epoch: request.epoch,
            envelope: message.encode(timestamp: ISO8601.string(milliseconds: WallClock.nowMilliseconds())))
    }
}

/// Takes the spans of a process and keeps them for whoever sends them on. Safe from any thread; never waits.
///
/// Switched off, or for a trace that is not sampled, it hands out no span: `nil` costs a comparison.
package final class Tracer: Sendable {
    private struct State {
        var ended: [Span] = []
        var dropped = 0
    }

    /// A process that sends no traces.
    package static let disabled = Tracer(sampler: .never, capacity: 0)

    package let isOn: Bool
    private let sampler: TraceSampler
    private let capacity: Int
    private let wakeAt: Int
    private let state = Lock(State())
    private let bell = Lock<(@Sendable () -> Void)?>(nil)

    /// - Parameters:
    ///   - capacity: ended spans that wait to be sent; one more is dropped, and counted. 0 switches tracing off.
    ///   - wakeAt: so many waiting spans ring the bell.
    package init(sampler: TraceSampler, capacity: Int, wakeAt: Int = .max) {
        isOn = capacity > 0
        self.sampler = sampler
        self.capacity = capacity
        self.wakeAt = wakeAt
    }

    // MARK: Spans

    /// What a request from outside works under: its own trace, or a new one.
    ///
    /// - Parameter parent: what the request says about itself.
    /// - Returns: a span when its trace is recorded. The context is there in any case, to be passed on and logged.
    package func enter(_ parent: TraceContext?) -> (context: TraceContext, isRecorded: Bool) {
        guard isOn else { return (parent ?? .random(isSampled: false), false) }
        let fresh = TraceContext.random(isSampled: false)
        let trace = parent?.trace ?? fresh.trace
        let isRecorded = sampler.records(trace, parent: parent)
        return (TraceContext(trace: trace, span: fresh.span, isSampled: isRecorded), isRecorded)
    }

    /// A span after `parent`; nil when nobody wants it.
    package func begin(
        _ name: @autoclosure () -> String, _ kind: Span.Kind, after parent: TraceContext?,
        _ attributes: @autoclosure () -> [Span.Attribute] = []
    ) -> Span? {
        guard isOn, let parent, parent.isSampled else { return nil }
        return Span(
            name(), kind, context: parent.after(.random(in: 1 ... .max)), parent: parent.span,
            start: WallClock.nowNanoseconds(), attributes: attributes())
    }

    /// - Parameter failure: what went wrong, in a word of a closed set.
    package func end(_ span: Span?, failure: String? = nil) {
        guard var span else { return }
        span.close(at: WallClock.nowNanoseconds(), failure: failure)
        let waiting = state.withLock { state -> Int in
            guard state.ended.count < capacity else {
                state.dropped += 1
                return 0
            }
            state.ended.append(span)
            return state.ended.count
        }
        if waiting == wakeAt { bell.withLock { $0 }?() }
    }

    // MARK: For the sender

    /// - Parameter ring: called from any thread when many spans wait.
    package func onFull(_ ring: @escaping @Sendable () -> Void) { bell.withLock { $0 = ring } }

    /// Takes the oldest ended spans, and how many were dropped since the last time.
    package func take(_ count: Int) -> (spans: [Span], dropped: Int) {
        state.withLock { state in
            let taken = Array(state.ended.prefix(count))
            state.ended.removeFirst(taken.count)
            defer { state.dropped = 0 }
            return (taken, state.dropped)
        }
    }

    package var waiting: Int { state.withLock { $0.ended.count } }
}

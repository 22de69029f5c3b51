/// An error line of the log, for whoever reports errors.
package struct ReportedError: Sendable {
    /// Milliseconds since 1970.
    package let time: Int64
    /// One of the program's fixed sentences.
    package let message: String
    package let fields: [LogField]

    package init(time: Int64, message: String, fields: [LogField]) {
        self.time = time
        self.message = message
        self.fields = fields
    }
}

/// Keeps the errors of a process until they are reported. Safe from any thread; never waits.
package final class ErrorInbox: Sendable {
    private struct State {
        var waiting: [ReportedError] = []
        var dropped = 0
    }

    /// One more is dropped, and counted.
    package static let capacity = 64
    private let state = Lock(State())
    private let bell = Lock<(@Sendable () -> Void)?>(nil)

    package init() {}

    package func add(_ report: ReportedError) {
        state.withLock { state in
            guard state.waiting.count < Self.capacity else {
                state.dropped += 1
                return
            }
            state.waiting.append(report)
        }
        bell.withLock { $0 }?()
    }

    /// - Parameter ring: called from any thread when something waits.
    package func onArrival(_ ring: @escaping @Sendable () -> Void) { bell.withLock { $0 = ring } }

    /// Everything that waits, and how many were dropped since the last time.
    package func take() -> (reports: [ReportedError], dropped: Int) {
        state.withLock { state in
            defer { state = State() }
            return (state.waiting, state.dropped)
        }
    }
}

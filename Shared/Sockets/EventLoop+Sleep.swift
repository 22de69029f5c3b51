import Platform

extension EventLoop {
    /// Suspends for at least `duration`; the caller resumes on its own executor. Cancellation ends the wait at once.
    /// - Throws: `CancellationError`.
    package func sleep(for duration: Duration) async throws {
        let wait = Lock<SleepState>(.pending)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let mayWait = wait.withLock { state in
                    guard case .pending = state else { return false }
                    state = .waiting(continuation)
                    return true
                }
                guard mayWait else { return continuation.resume(throwing: CancellationError()) }
                let arm: @Sendable () -> Void = { self.schedule(after: duration) { wait.finish(cancelled: false) } }
                if inLoop { arm() } else { execute(arm) }
            }
        } onCancel: {
            wait.finish(cancelled: true)
        }
    }
}

private enum SleepState {
    case pending
    case waiting(CheckedContinuation<Void, any Error>)
    case done
}

extension Lock where State == SleepState {
    fileprivate func finish(cancelled: Bool) {
        let continuation = withLock { state -> CheckedContinuation<Void, any Error>? in
            defer { state = .done }
            guard case .waiting(let continuation) = state else { return nil }
            return continuation
        }
        if cancelled { continuation?.resume(throwing: CancellationError()) } else { continuation?.resume() }
    }
}

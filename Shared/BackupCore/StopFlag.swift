import Platform

/// Tells work on a blocking thread that its task was cancelled.
final class StopFlag: Sendable {
    private let isRaised = Lock(false)

    func raise() { isRaised.withLock { $0 = true } }

    /// - Throws: ``BackupError`` `.cancelled` once the flag was raised.
    func check() throws {
        if isRaised.withLock({ $0 }) { throw BackupError(.cancelled, "told to stop") }
    }

    /// Runs `body` on a blocking thread; cancelling the caller's task raises the flag, and `body` ends soon.
    static func run<Result: Sendable>(
        on executor: BlockingExecutor, _ body: @escaping @Sendable (StopFlag) throws -> Result
    ) async throws -> Result {
        let flag = StopFlag()
        return try await withTaskCancellationHandler {
            try await executor.run { try body(flag) }
        } onCancel: {
            flag.raise()
        }
    }
}

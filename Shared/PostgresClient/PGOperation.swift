import Platform
import Sockets

/// A group of statements that ends in one sync: they succeed or fail together, and one caller waits for them.
///
/// Touched on the loop's thread only, from ``start`` on; that is why it may cross to the cancellation handler.
final class PGOperation: @unchecked Sendable {
    enum Command {
        case prepare(StatementCache.Key)
        case execute(StatementCache.Key?)
    }

    let statements: [SQL]
    /// Several statements in one text, by the simple protocol; then ``statements`` is empty.
    let script: String?
    /// Without an answer nobody knows whether it took effect. False inside a transaction before its COMMIT.
    let commits: Bool
    /// On the monotonic clock, in nanoseconds.
    let deadline: Int64

    /// What was sent, in order, and which of it is being answered.
    private(set) var commands: [Command] = []
    private var cursor = 0
    private(set) var results: [PGResult] = []
    private(set) var error: PGError?
    private(set) var isSent = false
    private(set) var isFinished = false
    private var continuation: CheckedContinuation<Result<[PGResult], PGError>, Never>?

    init(_ statements: [SQL], script: String? = nil, commits: Bool, timeout: Duration) {
        self.statements = statements
        self.script = script
        self.commits = commits
        let (sum, overflow) = MonotonicTime.now().addingReportingOverflow(max(0, timeout.nanosecondsClamped))
        deadline = overflow ? .max : sum
    }

    /// Runs `start` on the loop, waits for the answer.
    /// - Parameter isolation: an actor of the loop. Explicit, because in a `nonisolated(nonsending)` function the closure
    ///   of `withTaskCancellationHandler` leaves the caller's executor.
    /// - Parameter isCancellable: false for a ROLLBACK that must be sent although its task is cancelled.
    func perform(
        on loop: EventLoop, isolation: isolated any Actor, isCancellable: Bool = true, start: () -> Void
    ) async throws(PGError) -> [PGResult] {
        for statement in statements { if let problem = statement.problem { throw problem } }
        guard isCancellable else { return try await wait(isolation, start).get() }
        guard !Task.isCancelled else { throw PGError(.cancelled, "cancelled before it was sent") }
        return try await withTaskCancellationHandler {
            await wait(isolation, start)
        } onCancel: {
            loop.execute { self.cancel() }
        }.get()
    }

    private func wait(_ isolation: isolated any Actor, _ start: () -> Void) async -> Result<[PGResult], PGError> {
        await withCheckedContinuation { continuation in
            self.continuation = continuation
            start()
        }
    }

    private func cancel() {
        let error = PGError(.cancelled, isSent ? "cancelled while it ran" : "cancelled before it was sent")
        finish(.failure(isSent ? error.whileRunning(commits: commits) : error))
    }

    /// Gives the caller its answer, once; what comes later is dropped.
    func finish(_ result: Result<[PGResult], PGError>) {
        guard !isFinished else { return }
        isFinished = true
        continuation?.resume(returning: result)
        continuation = nil
    }

    // MARK: Sending

    func sent(_ command: Command) { commands.append(command) }
    func markSent() { isSent = true }

    // MARK: Answers, in the order of the commands

    var currentCommand: Command? { cursor < commands.count ? commands[cursor] : nil }

    /// The end of one command's answers; false when more ended than were sent. The sync counts as one, because a
    /// failing commit (a deferred constraint) is answered there, with an end of its own.
    func advance() -> Bool {
        cursor += 1
        return cursor <= commands.count + 1
    }

    func accept(_ result: PGResult) { results.append(result) }
    func accept(_ failure: PGError) { error = error ?? failure }

    /// The sync was answered: now, and not before, it is known whether the group committed.
    func complete() {
        if let error { finish(.failure(error)) } else { finish(.success(results)) }
    }
}

import Platform
import Sockets

/// Runs `body`, and answers nil when it takes longer than `limit`: then it is cancelled and left behind, since a name
/// lookup or a mounted disk can not be called back. For a process that ends soon after.
func answer<Value: Sendable>(
    within limit: Duration, on loop: EventLoop, _ body: @escaping @Sendable () async -> Value
) async -> Value? {
    let waiting = Lock<CheckedContinuation<Value?, Never>?>(nil)
    let finish: @Sendable (Value?) -> Void = { value in
        waiting.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }?.resume(returning: value)
    }
    return await withCheckedContinuation { continuation in
        waiting.withLock { $0 = continuation }
        // Awaited through the continuation, or given up; the process ends with it.
        let task = Task(executorPreference: loop) { finish(await body()) }
        loop.execute {
            _ = loop.schedule(after: limit) {
                task.cancel()
                finish(nil)
            }
        }
    }
}

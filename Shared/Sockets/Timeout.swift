/// A deadline passed.
package struct TimedOut: Error, CustomStringConvertible {
    package let limit: Duration
    package init(limit: Duration) { self.limit = limit }
    package var description: String { "no answer within \(limit)" }
}

/// Runs `body` with a deadline on the loop's clock. Past it the body's task is cancelled and its end is awaited, so the
/// body must react to cancellation.
package func withTimeout<Success: Sendable>(
    _ limit: Duration, on loop: EventLoop, _ body: @escaping @Sendable () async throws -> Success
) async -> Result<Success, any Error> {
    await withTaskGroup(of: Result<Success, any Error>?.self) { group in
        group.addTask(executorPreference: loop) {
            do { return .success(try await body()) } catch { return .failure(error) }
        }
        group.addTask(executorPreference: loop) {
            do {
                try await loop.sleep(for: limit)
                return .failure(TimedOut(limit: limit))
            } catch {
                return nil  // cancelled: the body was first
            }
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first ?? .failure(CancellationError())
    }
}

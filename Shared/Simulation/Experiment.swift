/// Many debates, on as many threads as allowed; the result does not depend on how many.
package struct Experiment: Sendable {
    /// Debates of one piece of work.
    private static let chunk = 250

    package let threads: Int
    /// Told how many debates are done, from one task, now and then.
    package let progress: @Sendable (Int) -> Void

    package init(threads: Int, progress: @escaping @Sendable (Int) -> Void = { _ in }) {
        precondition(threads > 0, "somebody has to do it")
        self.threads = threads
        self.progress = progress
    }

    /// Runs `body` for every number below `count`, and collects what it returns in that order.
    ///
    /// - Throws: what `body` throws, and `CancellationError`.
    func map<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) throws -> Value
    ) async throws -> [Value] {
        var parts: [Int: [Value]] = [:]
        try await withThrowingTaskGroup(of: (Int, [Value]).self) { group in
            var starts = stride(from: 0, to: count, by: Self.chunk).makeIterator()
            func add() -> Bool {
                guard let start = starts.next() else { return false }
                // Pure computation: it belongs on the pool of all processors, not on a loop.
                group.addTask(executorPreference: globalConcurrentExecutor) {
                    (start, try (start..<min(start + Self.chunk, count)).map(body))
                }
                return true
            }
            for _ in 0..<threads where !add() { break }
            var done = 0
            while let (start, values) = try await group.next() {
                try Task.checkCancellation()
                parts[start] = values
                done += values.count
                progress(done)
                _ = add()
            }
        }
        return stride(from: 0, to: count, by: Self.chunk).flatMap { parts[$0] ?? [] }
    }
}

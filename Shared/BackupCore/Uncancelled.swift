import Sockets

/// What must be done although the run was told to stop: a cancelled task can not ask Postgres for anything any more.
enum Uncancelled {
    /// Runs `body`, which must be short, as if nobody had cancelled the caller's task.
    static func run(on loop: EventLoop, _ body: @escaping @Sendable () async throws -> Void) async throws {
        // A task of its own, and awaited: it is not cancelled with the caller's.
        try await Task(executorPreference: loop) { try await body() }.value
    }
}

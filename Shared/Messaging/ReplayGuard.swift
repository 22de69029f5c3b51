import Platform
package import RedisClient
import Sockets

/// Takes each signed request once, across all replicas by Redis; while Redis is away each process remembers its own.
package struct ReplayGuard: Sendable {
    package static let deadline = Duration.milliseconds(100)

    private let connection: RedisConnection
    private let keyspace: @Sendable () -> Keyspace?
    private let local: SeenTable

    /// - Parameter local: one per process, shared by its loops.
    package init(
        connection: RedisConnection, local: SeenTable, keyspace: @escaping @Sendable () -> Keyspace?
    ) {
        self.connection = connection
        self.keyspace = keyspace
        self.local = local
    }

    /// Whether this is the first time that the request is seen.
    /// - Parameters:
    ///   - scope: from a closed set ("slack", "teams").
    ///   - digest: of what makes a request the same one.
    ///   - life: how long it is remembered; longer than it would be taken for its time.
    package func admit(scope: String, digest: String, for life: Duration) async -> Bool {
        guard local.admit("\(scope):\(digest)", for: life, now: MonotonicTime.now()) else { return false }
        guard let keyspace = keyspace() else { return true }
        let command = RedisCommand(
            words: [
                "SET", keyspace.seen(scope: scope, digest: digest), "1", "NX", "PX",
                "\(Int64(life / .milliseconds(1)))",
            ])
        guard let reply = try? await connection.send(command, timeout: Self.deadline) else { return true }
        return !reply.isNull
    }
}

/// What one process has seen.
package final class SeenTable: Sendable {
    /// One more forgets those whose time is over, and if that is not enough, all.
    package static let maxEntries = 10_000

    private let seen = Lock([String: Int64]())

    package init() {}

    func admit(_ name: String, for life: Duration, now: Int64) -> Bool {
        seen.withLock { seen in
            if let until = seen[name], until > now { return false }
            if seen.count >= Self.maxEntries { seen = seen.filter { $0.value > now } }
            if seen.count >= Self.maxEntries { seen.removeAll() }
            seen[name] = now + Int64(life / .nanoseconds(1))
            return true
        }
    }
}

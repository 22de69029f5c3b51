import Contracts
import Domain
import Messaging
package import Platform
import RedisClient
import Sockets
package import Storage

/// Keeps a process's ``RevocationSet`` up to date: asks Postgres every second, and at once when a hint comes.
///
/// The row is the truth and the hint a doorbell: without Redis a revocation holds everywhere within two seconds.
package struct RevocationFeed: Service {
    /// Between two questions; with one that takes a second still within the two that are promised.
    package static let interval = Duration.seconds(1)
    static let deadline = Duration.seconds(1)

    package let name = "revocations"
    package let set: RevocationSet
    private let loop: EventLoop
    private let store: RevocationStore
    private let backends: Backends
    private let log: Log
    private let asOf = Lock(Timestamp?.none)

    /// - Parameter backends: the process's own; the questions are asked on its first loop.
    package init(_ backends: Backends, log: Log) {
        set = RevocationSet()
        loop = backends.main.loop
        store = RevocationStore(pool: backends.main.postgres)
        self.backends = backends
        self.log = log
    }

    /// Asks now. Any loop may.
    /// - Throws: ``StorageError``.
    package func refresh() async throws(StorageError) {
        let answer = try await store.live(since: asOf.withLock { $0 })
        set.learn(answer.revocations, now: WallClock.nowMilliseconds())
        asOf.withLock { $0 = max($0 ?? answer.asOf, answer.asOf) }
    }

    package func run(until shutdown: ShutdownSignal) async throws {
        let listener = await listen(until: shutdown)
        while shutdown.phase == .running {
            do throws(StorageError) { try await refresh() } catch { log.debug("revocations not read", .error(error)) }
            await loop.pause(for: Self.interval, until: shutdown)
        }
        await listener?.close()
    }

    private func listen(until shutdown: ShutdownSignal) async -> ControlListener? {
        guard let configuration = backends.redisConfiguration else { return nil }
        while backends.keyspace.current == nil, shutdown.phase == .running {
            await loop.pause(for: .milliseconds(200), until: shutdown)
        }
        guard let keyspace = backends.keyspace.current else { return nil }
        let listener = ControlListener(
            loop: loop, configuration: configuration, keyspace: keyspace, log: log,
            onHint: { hint in
                guard hint.kind == .revoked else { return }
                // Owned by nobody: one bounded question, which the next poll asks again.
                Task(executorPreference: loop) { try? await refresh() }
            })
        await listener.start()
        return listener
    }
}

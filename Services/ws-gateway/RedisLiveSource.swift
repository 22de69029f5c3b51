import Contracts
import Domain
import Messaging
import Platform
import RedisClient
import ServiceKit
import Sockets

/// Live entries and the replay cache of one loop, under the keyspace of the log as it is now.
///
/// When the log's generation changes, a new feed replaces the old one and every watched debate is subscribed again.
actor RedisLiveSource: LiveSource {
    /// What live entries and re-subscriptions are handed to, on the loop.
    struct Receiver: Sendable {
        let entry: @Sendable (DebateID, PublishedEntry) -> Void
        let resubscribed: @Sendable () -> Void
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let configuration: RedisConfiguration?
    private let connection: RedisConnection
    private let log: Log
    private var receiver: Receiver?
    private var feed: LiveFeed?
    private var stream: EventStream?
    private var keyspace: Keyspace?
    private var watched: Set<DebateID> = []
    private var isConnected = false

    init(backends: LoopBackends, configuration: RedisConfiguration?, log: Log) {
        loop = backends.loop
        connection = backends.redis
        self.configuration = configuration
        self.log = log
    }

    /// Begins; `keyspace` changes are followed until the process ends.
    func start(_ receiver: Receiver, following source: KeyspaceSource) {
        self.receiver = receiver
        source.observe { [weak self] keyspace in
            guard let self else { return }
            self.loop.execute { self.assumeIsolated { $0.adopt(keyspace) } }
        }
    }

    var isUp: Bool { isConnected }
    var unreadBytes: Int { get async { await feed?.unreadBytes ?? 0 } }

    func subscribe(_ debate: DebateID) async -> Bool {
        watched.insert(debate)
        guard let feed else { return false }
        do {
            try await feed.watch(debate)
            return true
        } catch {
            return false  // the feed subscribes as soon as Redis is back; until then Postgres is polled
        }
    }

    func unsubscribe(_ debate: DebateID) async {
        watched.remove(debate)
        await feed?.unwatch(debate)
    }

    func cached(_ debate: DebateID, from seq: Int64, limit: Int) async -> [FeedEntry] {
        guard isConnected, let stream else { return [] }
        let entries = (try? await stream.cached(debate, from: seq, limit: limit)) ?? []  // a cache may fail
        return entries.map(FeedEntry.init)
    }

    private func adopt(_ keyspace: Keyspace) {
        guard let configuration, let receiver, self.keyspace != keyspace else { return }
        let old = feed
        self.keyspace = keyspace
        isConnected = false
        stream = EventStream(connection: connection, keyspace: keyspace)
        let feed = LiveFeed(
            loop: loop, configuration: configuration, keyspace: keyspace, log: log, onEntry: receiver.entry,
            onStateChange: { [weak self] state in self?.assumeIsolated { $0.changed(state, of: keyspace) } })
        self.feed = feed
        // Awaited by nobody: the feed tells by its state when it is connected.
        Task(executorPreference: loop) { [watched] in
            await old?.close()
            await feed.start()
            for debate in watched { try? await feed.watch(debate) }  // kept and subscribed once Redis is there
        }
    }

    private func changed(_ state: RedisSubscriber.State, of keyspace: Keyspace) {
        guard keyspace == self.keyspace else { return }
        if case .connected = state {
            isConnected = true
            receiver?.resubscribed()
        } else {
            isConnected = false
        }
    }
}

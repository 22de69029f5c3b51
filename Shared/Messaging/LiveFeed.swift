package import Contracts
package import Domain
package import Platform
package import RedisClient
package import Sockets

/// Follows debates live, over one pub/sub connection of a loop.
///
/// What it tells may have gaps, whenever Redis or the connection was away: the state change to `.connected` is the
/// moment to read the log again. When the log's generation changes, make a new feed.
package struct LiveFeed: Sendable {
    private let subscriber: RedisSubscriber
    private let keyspace: Keyspace

    /// - Parameters:
    ///   - onEntry: called on the loop, in the order Redis sent; must not block.
    ///   - onStateChange: called on the loop, see ``RedisSubscriber``.
    package init(
        loop: EventLoop, configuration: RedisConfiguration, keyspace: Keyspace, log: Log = .disabled,
        onEntry: @escaping @Sendable (DebateID, PublishedEntry) -> Void,
        onStateChange: @escaping @Sendable (RedisSubscriber.State) -> Void = { _ in }
    ) {
        self.keyspace = keyspace
        subscriber = RedisSubscriber(
            loop: loop, configuration: configuration, log: log, isSharded: true,
            onMessage: { channel, payload in
                guard let debate = keyspace.debate(ofLiveChannel: channel) else { return }
                do throws(ContractError) {
                    onEntry(debate, try PublishedEntry(decoding: payload))
                } catch {
                    log.warning("live entry unreadable", .debateID(debate.text), .error(error))
                }
            },
            onStateChange: onStateChange)
    }

    /// Begins to connect.
    package func start() async { await subscriber.start() }

    /// Begins to connect, and waits for the first connection.
    package func connect(timeout: Duration = .seconds(5)) async throws(RedisError) {
        try await subscriber.connect(timeout: timeout)
    }

    /// Follows a debate; returns only after Redis has confirmed it. When it throws, the debate is followed as soon as
    /// Redis is back, until ``unwatch(_:)``.
    package func watch(_ debate: DebateID) async throws(RedisError) {
        try await subscriber.subscribe(keyspace.live(debate))
    }

    package func unwatch(_ debate: DebateID) async { await subscriber.unsubscribe(keyspace.live(debate)) }

    /// Bytes that Redis has sent and the loop has not read.
    package var unreadBytes: Int { get async { await subscriber.unreadBytes } }

    package func close() async { await subscriber.close() }
}

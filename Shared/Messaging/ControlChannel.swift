package import Contracts
package import Platform
package import RedisClient
package import Sockets

/// Hints to all runners, best effort.
package struct ControlChannel: Sendable {
    private let connection: RedisConnection
    private let keyspace: Keyspace

    package init(connection: RedisConnection, keyspace: Keyspace) {
        self.connection = connection
        self.keyspace = keyspace
    }

    /// - Throws: ``RedisError``; the caller logs it at most, the runner learns it later anyway.
    package func send(_ hint: ControlHint) async throws(RedisError) {
        try await connection.send(RedisCommand("PUBLISH", keyspace.control, arguments: [hint.bytes]))
    }
}

/// Listens to the hints.
package struct ControlListener: Sendable {
    private let subscriber: RedisSubscriber
    private let channel: String

    /// - Parameter onHint: called on the loop; must not block.
    package init(
        loop: EventLoop, configuration: RedisConfiguration, keyspace: Keyspace, log: Log = .disabled,
        onHint: @escaping @Sendable (ControlHint) -> Void,
        onStateChange: @escaping @Sendable (RedisSubscriber.State) -> Void = { _ in }
    ) {
        channel = keyspace.control
        subscriber = RedisSubscriber(
            loop: loop, configuration: configuration, log: log,
            onMessage: { _, payload in
                do throws(ContractError) {
                    onHint(try ControlHint(decoding: payload))
                } catch {
                    log.warning("control hint unreadable", .error(error))
                }
            },
            onStateChange: onStateChange)
    }

    /// Begins to listen, now or as soon as Redis is there.
    package func start() async {
        try? await subscriber.subscribe(channel)  // not connected yet: it stays wanted
        await subscriber.start()
    }

    package func close() async { await subscriber.close() }
}

package import Messaging
package import RedisClient

/// What a runner needs of Redis. All of it is help: without it, debates are claimed by sweeps and viewers read Postgres.
package struct RunnerRedis: Sendable {
    package let configuration: RedisConfiguration
    /// For everything that does not block; on the runner's loop.
    package let connection: RedisConnection
    /// The names of the log we have now; nil until Postgres has answered once. A restore changes them.
    package let keyspace: @Sendable () -> Keyspace?

    package init(
        configuration: RedisConfiguration, connection: RedisConnection, keyspace: @escaping @Sendable () -> Keyspace?
    ) {
        self.configuration = configuration
        self.connection = connection
        self.keyspace = keyspace
    }

    var stream: EventStream? { keyspace().map { EventStream(connection: connection, keyspace: $0) } }
    var doorbell: Doorbell? { keyspace().map { Doorbell(connection: connection, keyspace: $0) } }
    var control: ControlChannel? { keyspace().map { ControlChannel(connection: connection, keyspace: $0) } }
}

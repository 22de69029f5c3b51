package import Messaging
package import RedisClient

/// What a runner needs of Redis. All of it is help: without it, debates are claimed by sweeps and viewers read Postgres.
package struct RunnerRedis: Sendable {
    package let configuration: RedisConfiguration
    /// For everything that does not block; on the runner's loop.
    package let connection: RedisConnection
    package let keyspace: Keyspace

    package init(configuration: RedisConfiguration, connection: RedisConnection, keyspace: Keyspace) {
        self.configuration = configuration
        self.connection = connection
        self.keyspace = keyspace
    }

    var doorbell: Doorbell { Doorbell(connection: connection, keyspace: keyspace) }
    var control: ControlChannel { ControlChannel(connection: connection, keyspace: keyspace) }
    package var stream: EventStream { EventStream(connection: connection, keyspace: keyspace) }
}

import Platform
package import PostgresClient
package import RedisClient
package import Sockets
import Storage

/// The stores as one loop reaches them: its own pool and connection, so that a request never leaves its loop.
package struct LoopBackends: Sendable {
    package let loop: EventLoop
    package let postgres: PGPool
    /// Connects only when Redis is configured; otherwise every command fails at once with `.unavailable`.
    package let redis: RedisConnection
}

/// The stores of a process: one ``LoopBackends`` a loop, the keyspace, and the health checks.
package struct Backends: Sendable {
    package let loops: [LoopBackends]
    package let keyspace: KeyspaceSource
    package let redisConfiguration: RedisConfiguration?

    /// Begins to connect everything, in the background.
    ///
    /// - Parameter own: loops besides the process's own; nil for those, whose stores also become the health checks
    ///   `postgres` and `redis`.
    /// - Parameter known: the keyspace of the process's other stores; by default one of their own.
    package static func open(
        _ settings: StoreSettings, _ context: ServiceContext, on own: [EventLoop]? = nil,
        keyspace known: KeyspaceSource? = nil
    ) async -> Backends {
        let keyspace = known ?? KeyspaceSource(prefix: settings.redisPrefix)
        // Runs are locked on these connections, by runners and by those who cancel: see RunnerRegistry.
        let configuration = RunnerRegistry.configure(settings.postgres)
        var loops: [LoopBackends] = []
        for loop in own ?? context.loops {
            let postgres = PGPool(
                configuration: configuration, loop: loop, log: context.log, metrics: context.metrics,
                onConnect: { connection in
                    keyspace.learned(try await InstallationStore.installation(on: connection))
                })
            let redis = RedisConnection(
                loop: loop, configuration: settings.redis ?? RedisConfiguration(host: "localhost"), log: context.log)
            await postgres.start()
            if settings.redis != nil { await redis.start() }
            loops.append(LoopBackends(loop: loop, postgres: postgres, redis: redis))
        }
        let backends = Backends(loops: loops, keyspace: keyspace, redisConfiguration: settings.redis)
        if own == nil { backends.addHealthChecks(settings, context) }
        return backends
    }

    /// The stores of `loop`.
    package func on(_ loop: EventLoop) -> LoopBackends {
        loops.first { $0.loop === loop } ?? loops[0]
    }

    package var main: LoopBackends { loops[0] }

    /// Lets what runs finish, then closes every connection.
    package func close() async {
        for backends in loops {
            await backends.postgres.close()
            await backends.redis.close()
        }
    }

    private func addHealthChecks(_ settings: StoreSettings, _ context: ServiceContext) {
        let first = loops[0]
        let schema = SchemaGate(configuration: settings.postgres, loop: first.loop, log: context.log)
        context.health.add(
            HealthRegistry.Check(HealthRegistry.database, .required) { [keyspace] in
                try await first.postgres.ping(timeout: HealthRegistry.checkTimeout)
                // A pooler keeps our connections while the server behind it changes: it has to be asked who it is.
                if settings.isPooled {
                    keyspace.learned(try await InstallationStore(pool: first.postgres).installation())
                }
                return "connected"
            })
        context.health.add(HealthRegistry.Check("schema", .required) { try await schema.check() })
        guard redisConfiguration != nil else { return }
        if settings.needsRedisAtStart { addRedisAtStart(context) }
        context.health.add(
            HealthRegistry.Check("redis", .optional) { [metrics = context.metrics] in
                do {
                    _ = try await first.redis.send(RedisCommand("PING"), timeout: HealthRegistry.checkTimeout)
                } catch {
                    metrics.set(.redisUp, to: 0)
                    throw error
                }
                metrics.set(.redisUp, to: 1)
                return "connected"
            })
    }

    /// Until Redis was reached once. Afterwards it may go: then the process is degraded, and goes on.
    private func addRedisAtStart(_ context: ServiceContext) {
        let first = loops[0]
        let wasReached = Lock(false)
        context.health.add(
            HealthRegistry.Check("redis_at_start", .required) {
                if wasReached.withLock({ $0 }) { return "reached" }
                _ = try await first.redis.send(RedisCommand("PING"), timeout: HealthRegistry.checkTimeout)
                wasReached.withLock { $0 = true }
                return "reached"
            })
    }
}

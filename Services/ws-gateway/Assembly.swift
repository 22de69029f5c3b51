import Contracts
import Domain
import HTTP
import Platform
import ServiceKit
import Sockets
import Storage

/// Names the gateway's concrete types.
enum Assembly {
    static func services(_ settings: GatewaySettings, _ context: ServiceContext) async throws -> [any Service] {
        let backends = await Backends.open(settings.stores, context)
        var hubs: [Hub] = []
        let feed = RevocationFeed(backends, log: context.log)
        for own in backends.loops { hubs.append(await makeHub(own, backends, feed.set, context)) }
        let server = try GatewayServer(
            settings: settings, context: context, backends: backends, feed: feed, hubs: hubs)
        return [server, feed]
    }

    private static func makeHub(
        _ own: LoopBackends, _ backends: Backends, _ revocations: RevocationSet, _ context: ServiceContext
    ) async -> Hub {
        let live = RedisLiveSource(backends: own, configuration: backends.redisConfiguration, log: context.log)
        let source = PostgresLogSource(
            log: PostgresEventLog(pool: own.postgres), debates: DebateStore(pool: own.postgres),
            retention: EventRetentionStore(pool: own.postgres))
        let hub = Hub(
            loop: own.loop, source: source, live: live,
            links: PostgresLinkSource(shares: ShareStore(pool: own.postgres)), revocations: revocations,
            metrics: context.metrics, log: context.log, tracer: context.tracer)
        await live.start(
            RedisLiveSource.Receiver(
                entry: { debate, entry in hub.assumeIsolated { $0.received(entry, debate) } },
                resubscribed: { Task(executorPreference: own.loop) { await hub.resubscribed() } }),
            following: backends.keyspace)
        return hub
    }
}

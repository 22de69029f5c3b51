import DebateRunner
import Messaging
import Platform
import PostgresClient
import Providers
import ServiceKit
import Storage
import Webhooks

/// Names the worker's concrete types.
enum Assembly {
    static func services(_ settings: WorkerSettings, _ context: ServiceContext) async throws -> [any Service] {
        let backends = await Backends.open(settings.stores, context)
        let limits = ProviderLimits(maxInFlight: settings.providers.maxInFlight) {
            backends.keyspace.current.map { ProviderBoard(connection: backends.main.redis, keyspace: $0) }
        }
        let registry = ProviderRegistry(
            settings: settings.providers, loop: context.mainLoop, limits: limits, metrics: context.metrics,
            log: context.log)
        let redis = backends.redisConfiguration.map { configuration in
            RunnerRedis(configuration: configuration, connection: backends.main.redis) { backends.keyspace.current }
        }
        let runner = DebateRunnerService(
            settings: settings.runner,
            dependencies: RunnerDependencies(
                loop: context.mainLoop, pool: backends.main.postgres, sessions: settings.stores.postgres,
                usesPresence: !settings.stores.isPooled, redis: redis,
                models: { registry.client(for: $0) },
                fallback: { settings.providers.fallback(for: $0) },
                worstCost: { settings.providers.worstCost(of: $0) }, receiptKeys: { settings.receipts.keys },
                receiptRetentionDays: { settings.receipts.retentionDays },
                ratings: settings.ratings.rules, log: context.log, metrics: context.metrics, tracer: context.tracer))
        let courier = WebhookCourier(
            store: WebhookStore(pool: backends.main.postgres), box: context.common.sessions.secretBox,
            settings: settings.webhooks, loop: context.mainLoop, log: context.log, metrics: context.metrics)
        return [
            courier,
            Closing(runner) {
                await registry.close()
                await backends.close()
            },
        ]
    }
}

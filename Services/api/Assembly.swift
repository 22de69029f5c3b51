import Contracts
import Crypto
import DebateRunner
import Domain
import HTTP
import Ledger
import Messaging
import Platform
import PostgresClient
import Providers
import ServiceKit
import Sockets
import Storage
import Webhooks

/// Names the API's concrete types.
enum Assembly {
    static func services(_ settings: APISettings, _ context: ServiceContext) async throws -> [any Service] {
        let backends = await Backends.open(settings.stores, context)
        let local = LocalRateTable()
        let shared = SharedAccess(backends, log: context.log, durableBox: settings.access.durableBox)
        let requests = RequestMetrics(metrics: context.metrics, objective: settings.levels.requests)
        let pages = PageFiles.compiledIn()
        let server = try APIServer(settings: settings, context: context) { loop in
            routes(settings, context, backends, on: loop, local, requests, shared, pages).router()
        }
        let counts = InstallationMetrics(
            stores: APIStores(backends.main, keyspace: backends.keyspace, log: context.log), metrics: context.metrics,
            levels: ServiceLevels(settings.levels, requests: requests, metrics: context.metrics), log: context.log)
        context.metrics.set(.receiptRetention, to: Double(settings.receipts.retentionDays))
        let runnerLoop = try EventLoop(name: "runner")
        var services: [any Service] = [
            Closing(server) { await backends.close() }, counts, shared.feed,
            AuditKeeper(
                audit: AuditLog(pool: backends.main.postgres), loop: backends.main.loop,
                days: settings.accounts.auditRetentionDays, log: context.log),
            rotation(settings, context, backends.main, shared),
            housekeeper(backends.main.postgres, backends.main.loop, context),
            EventKeeper(
                store: EventRetentionStore(pool: backends.main.postgres), loop: backends.main.loop,
                days: settings.eventRetentionDays, log: context.log),
            try await embeddedRunner(
                settings, context, on: runnerLoop, keyspace: backends.keyspace, standings: shared.providers),
            LoopLagMonitor(name: "runner-loop-lag", loops: [runnerLoop], metrics: context.metrics),
        ]
        // Where it runs no debates, others send; an API that may not reach the internet should not try.
        if settings.runnerPolicy != .off {
            services.append(
                WebhookCourier(
                    store: WebhookStore(pool: backends.main.postgres), box: context.common.sessions.secretBox,
                    settings: settings.webhooks, loop: context.mainLoop, log: context.log,
                    metrics: context.metrics))
        }
        if settings.migrateOnStart {
            services.append(
                MigrationOnStart(configuration: settings.migrations, loop: context.mainLoop, log: context.log))
        }
        return services
    }

    /// Every handler of one loop.
    static func routes(
        _ settings: APISettings, _ context: ServiceContext, _ backends: Backends, on loop: EventLoop,
        _ local: LocalRateTable, _ requests: RequestMetrics, _ shared: SharedAccess, _ pages: PageFiles
    ) -> Routes {
        let own = backends.on(loop)
        let stores = APIStores(own, keyspace: backends.keyspace, log: context.log)
        let panel = PanelPolicy(
            providers: settings.providers,
            allowsDemoFallback: settings.demoFallback || settings.environment != .production)
        let authenticator = Authenticator(
            access: settings.access, feed: shared.feed, cache: shared.keys, on: own)
        let target = WebhookTarget(
            box: context.common.sessions.secretBox, addresses: settings.webhooks.addresses)
        let create = CreateDebateHandler(
            stores: stores, target: target, panel: panel, ratings: settings.ratings.rules,
            memory: KnowledgeRecall(
                store: stores.knowledge, settings: settings.knowledge, metrics: context.metrics, log: context.log),
            metrics: context.metrics, tracer: context.tracer)
        let actions = DebateActionsHandler(
            stores: stores, sealer: EndingSealer(keys: { settings.receipts.keys }), metrics: context.metrics)
        let branches = BranchesHandler(stores: stores, create: create)
        let standings = ProviderStandings(
            board: { backends.keyspace.current.map { ProviderBoard(connection: own.redis, keyspace: $0) } },
            local: shared.providers, providers: settings.providers)
        let desk = BotDesk(
            stores: stores, create: create, actions: actions, target: target,
            store: WebhookStore(pool: own.postgres), log: context.log)
        let replays = ReplayGuard(connection: own.redis, local: shared.seen) { backends.keyspace.current }
        let trail = AuditTrail(trustedProxies: settings.trustedProxies)
        let accounts = accounts(settings, context, own, stores, shared, authenticator)
        return Routes(
            context: context, settings: settings, create: create,
            estimate: EstimateHandler(panel: panel), list: ListDebatesHandler(stores: stores),
            read: ReadDebateHandler(stores: stores, kept: shared.kept),
            actions: actions, branches: branches,
            views: DebateViewsHandler(stores: stores),
            edit: EditDebateHandler(stores: stores, trail: trail, actions: actions, keys: { settings.receipts.keys }),
            sharing: ShareHandler(stores: stores, trail: trail), batches: BatchHandler(stores: stores, create: create),
            search: SearchHandler(stores: stores), statistics: StatisticsHandler(stores: stores),
            queue: QueueHandler(
                stores: stores, branches: branches, housekeeper: housekeeper(own.postgres, loop, context)),
            backups: BackupsHandler(stores: stores),
            receipts: ReceiptsHandler(
                stores: stores, trail: trail, settings: settings.receipts, log: context.log,
                verifier: { ReceiptVerifier(keys: settings.receipts.keys) }),
            receiptLog: ReceiptLogHandler(stores: stores, keys: { settings.receipts.keys }),
            ratings: RatingsHandler(
                stores: stores, providers: settings.providers, rules: settings.ratings.rules, standings: standings),
            knowledge: KnowledgeHandler(stores: stores),
            budgets: BudgetsHandler(stores: stores, trail: trail),
            webhooks: WebhooksHandler(store: WebhookStore(pool: own.postgres), target: target, trail: trail),
            slack: SlackHandler(
                settings: settings.bots, chat: settings.webhooks.chat, desk: desk, replays: replays),
            teams: TeamsHandler(
                settings: settings.webhooks.chat.teams, connector: connector(settings, loop), desk: desk,
                replays: replays),
            keyRotation: KeyRotationHandler(
                store: KeyRotationStore(pool: own.postgres), scheduler: rotation(settings, context, own, shared),
                box: shared.durableBox, settings: settings.keyRotation, services: accounts.services),
            signOn: SignOnHandler(
                settings: settings.signOn, provider: settings.signOn.provider.map { OpenIDProvider($0, loop: loop) },
                store: SignOnStore(pool: own.postgres), services: accounts.services, signIn: accounts.signIn),
            status: StatusHandler(stores: stores, context: context),
            condition: ConditionHandler(
                stores: stores, context: context, settings: settings, standings: standings,
                register: backends.redisConfiguration.map { _ in
                    ReplicaRegister(connection: own.redis, prefix: settings.stores.redisPrefix)
                }),
            gateway: GatewayTunnelHandler(upstream: settings.gateway, trustedProxies: settings.trustedProxies),
            pages: PageHandler(files: pages),
            authenticator: authenticator, accounts: accounts,
            rateLimit: RateLimitMiddleware(
                limiter: RouteLimiter(redis: own.redis, keyspace: backends.keyspace, local: local),
                limitPerMinute: settings.rateLimit,
                trustedProxies: settings.trustedProxies, metrics: context.metrics),
            requests: requests)
    }

    /// Nil unless Teams is set up.
    private static func connector(_ settings: APISettings, _ loop: EventLoop) -> BotConnector? {
        let teams = settings.webhooks.chat.teams
        guard teams.isEnabled, let app = teams.appID, let tenant = teams.tenant else { return nil }
        return BotConnector(settings.bots.connector, app: app, tenant: tenant, loop: loop)
    }

    /// Each loop has one for those who order a rotation there; the first loop's runs by itself.
    private static func rotation(
        _ settings: APISettings, _ context: ServiceContext, _ own: LoopBackends, _ shared: SharedAccess
    ) -> KeyRotationScheduler {
        let random = (try? RandomBytes.make(6)).map(Hex.encode) ?? "\(WallClock.nowMilliseconds())"
        return KeyRotationScheduler(
            store: KeyRotationStore(pool: own.postgres), box: shared.durableBox, settings: settings.keyRotation,
            loop: own.loop, holder: "api-" + random, log: context.log, metrics: context.metrics)
    }

    private static func housekeeper(
        _ pool: PGPool, _ loop: EventLoop, _ context: ServiceContext
    ) -> Housekeeper {
        Housekeeper(rows: ExpiredRows(pool: pool), loop: loop, metrics: context.metrics, log: context.log)
    }

    private static func accounts(
        _ settings: APISettings, _ context: ServiceContext, _ own: LoopBackends, _ stores: APIStores,
        _ shared: SharedAccess, _ authenticator: Authenticator
    ) -> AccountHandlers {
        let pool = own.postgres
        return AccountHandlers(
            AccountServices(
                accounts: AccountStore(pool: pool), sessions: SessionStore(pool: pool), keys: APIKeyStore(pool: pool),
                guards: LoginGuard(pool: pool), audit: AuditLog(pool: pool), revocations: RevocationStore(pool: pool),
                stores: stores, authenticator: authenticator, feed: shared.feed, hasher: shared.hasher,
                settings: settings.accounts, trustedProxies: settings.trustedProxies,
                log: context.log))
    }

    /// The runner inside this process, on an event loop and connections of its own.
    static func embeddedRunner(
        _ settings: APISettings, _ context: ServiceContext, on loop: EventLoop, keyspace: KeyspaceSource,
        standings: ProviderStandings.Local? = nil
    ) async throws -> any Service {
        let backends = await Backends.open(settings.stores, context, on: [loop], keyspace: keyspace)
        let limits = ProviderLimits(maxInFlight: settings.providers.maxInFlight) {
            backends.keyspace.current.map { ProviderBoard(connection: backends.main.redis, keyspace: $0) }
        }
        standings?.set(limits)
        let registry = ProviderRegistry(
            settings: settings.providers, loop: loop, limits: limits, metrics: context.metrics, log: context.log)
        let redis = backends.redisConfiguration.map { configuration in
            RunnerRedis(configuration: configuration, connection: backends.main.redis) { backends.keyspace.current }
        }
        let runner = DebateRunnerService(
            settings: settings.runner, policy: settings.runnerPolicy,
            dependencies: RunnerDependencies(
                loop: loop, pool: backends.main.postgres, sessions: settings.stores.postgres,
                usesPresence: !settings.stores.isPooled, redis: redis,
                models: { registry.client(for: $0) },
                fallback: { settings.providers.fallback(for: $0) },
                worstCost: { settings.providers.worstCost(of: $0) }, receiptKeys: { settings.receipts.keys },
                receiptRetentionDays: { settings.receipts.retentionDays },
                ratings: settings.ratings.rules, log: context.log, metrics: context.metrics, tracer: context.tracer))
        return Closing(runner) {
            await registry.close()
            await backends.close()
        }
    }
}

import HTTP
import Platform
import ServiceKit
import Sockets

/// Serves `/ws` and the health family on the gateway's port, a hub on every loop.
struct GatewayServer: Service {
    let name = "ws-server"
    private let settings: GatewaySettings
    private let context: ServiceContext
    private let backends: Backends
    private let hubs: [Hub]
    private let server: HTTPServer

    init(
        settings: GatewaySettings, context: ServiceContext, backends: Backends, feed: RevocationFeed, hubs: [Hub]
    ) throws {
        self.settings = settings
        self.context = context
        self.backends = backends
        self.hubs = hubs
        guard let address = SocketAddress(ip: context.common.bindAddress, port: settings.port) else {
            throw ServiceHost.ConfigurationError(
                "ARAGORA_BIND_ADDRESS: \"\(context.common.bindAddress)\" is not an IP address")
        }
        var configuration = HTTPServerConfiguration(address: address)
        configuration.maxConnections = settings.maxConnections
        configuration.renderError = { ErrorMappingMiddleware.renderUnseen($0) }
        configuration.onRejected = { [metrics = context.metrics] in metrics.add(.limitHits, [$0.code]) }
        configuration.onConnections = { [metrics = context.metrics] in metrics.add(.httpConnections, by: Double($0)) }
        configuration.onUnexpected = { [log = context.log] in log.error("request failed", .error($0)) }
        context.metrics.declare(
            .websocketConnections, .websocketFramesSent, .websocketQueuedBytes, .websocketSlow, .websocketTokensShed,
            .websocketSlowClosed, .websocketCloses, .gatewayWatched, .gatewayFills, .gatewayWaiting, .gatewayUnread,
            .httpConnections, .limitHits)
        context.metrics.set(.websocketQueueLimit, to: Double(settings.outboxBytes))
        let requests = RequestMetrics(metrics: context.metrics)
        let places = AddressPlaces(
            maxOpen: settings.maxPerAddress, perMinute: settings.connectionsPerMinute)
        let cache = KeyCache()
        server = HTTPServer(configuration: configuration, loops: context.loops) { loop in
            let authenticator = Authenticator(
                access: settings.access, feed: feed, cache: cache, on: backends.on(loop))
            return Self.router(
                settings, context, requests, authenticator, places, hubs.first { $0.loop === loop } ?? hubs[0])
        }
    }

    func run(until shutdown: ShutdownSignal) async throws {
        let address: SocketAddress
        do { address = try await server.start() } catch {
            throw ServiceHost.ConfigurationError("port \(settings.port): \(error)")
        }
        context.log.info("gateway listening", .port(Int(address.port)))
        await withDiscardingTaskGroup { group in
            for hub in hubs { group.addTask(executorPreference: hub.loop) { await hub.poll(until: shutdown) } }
            await shutdown.wait(for: .draining)
            await server.drain(deadline: settings.drainDeadline)
            group.cancelAll()
        }
        await backends.close()
    }

    private static func router(
        _ settings: GatewaySettings, _ context: ServiceContext, _ requests: RequestMetrics,
        _ authenticator: Authenticator, _ places: AddressPlaces, _ hub: Hub
    ) -> Router {
        var router = Router(
            instant: [
                RequestIDMiddleware(tracer: context.tracer),
                AccessLogMiddleware(log: context.log, requests: requests, trustedProxies: settings.trustedProxies),
            ], middleware: TraceMiddleware(tracer: context.tracer).map { [$0] } ?? [],
            renderError: ErrorMappingMiddleware(log: context.log).response)
        let upgrade = Upgrade(
            settings: settings, authenticator: authenticator, places: places, hub: hub, version: context.build.version,
            log: context.log)
        for path in ["/ws", "/", "/api/ws"] {
            router.on(.get, path) { try await upgrade.handle($0, $1) }
        }
        let health = HealthRoutes(context: context)
        health.add(to: &router, mayReadDetails: { _ in false })
        health.addMetrics(to: &router, paths: ["/metrics", "/metrics/websocket"])
        return router
    }
}

import HTTP
import Platform
import Sockets

/// Serves the health family and `/metrics` on the metrics port of every executable.
struct HealthServer: Service {
    static let maxConnections = 256
    static let drainDeadline = Duration.seconds(1)

    let name = "health-server"
    private let context: ServiceContext
    private let server: HTTPServer

    /// - Throws: ``ServiceHost/ConfigurationError`` when the bind address is not numeric.
    init(context: ServiceContext) throws {
        self.context = context
        guard let address = SocketAddress(ip: context.common.bindAddress, port: context.common.metricsPort) else {
            throw ServiceHost.ConfigurationError(
                "ARAGORA_BIND_ADDRESS: \"\(context.common.bindAddress)\" is not an IP address")
        }
        var configuration = HTTPServerConfiguration(address: address)
        configuration.maxConnections = Self.maxConnections
        server = HTTPServer(configuration: configuration, loops: [context.mainLoop]) { _ in
            var router = Router()
            let routes = HealthRoutes(context: context)
            routes.add(to: &router, mayReadDetails: { _ in true })
            routes.addMetrics(to: &router, paths: ["/metrics", "/metrics/websocket"])
            return router
        }
    }

    func run(until shutdown: ShutdownSignal) async throws {
        do {
            let address = try await server.start()
            context.health.setMetricsPort(address.port)
            context.log.info("health server listening", .port(Int(address.port)))
        } catch {
            throw ServiceHost.ConfigurationError("metrics port \(context.common.metricsPort): \(error)")
        }
        await shutdown.wait(for: .draining)
        await server.drain(deadline: Self.drainDeadline)
    }
}

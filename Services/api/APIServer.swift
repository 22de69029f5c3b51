import HTTP
import Platform
import ServiceKit
import Sockets

/// Serves the API on its port, one router on every loop.
struct APIServer: Service {
    let name = "api-server"
    private let settings: APISettings
    private let context: ServiceContext
    private let server: HTTPServer

    init(
        settings: APISettings, context: ServiceContext,
        makeRouter: @escaping @Sendable (EventLoop) async throws -> Router
    ) throws {
        self.settings = settings
        self.context = context
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
        context.metrics.declare(.debatesStarted, .httpConnections, .limitHits, .rateLimitHits, .knowledgeRecalls)
        server = HTTPServer(configuration: configuration, loops: context.loops, makeHandler: makeRouter)
    }

    func run(until shutdown: ShutdownSignal) async throws {
        let address: SocketAddress
        do { address = try await server.start() } catch {
            throw ServiceHost.ConfigurationError("port \(settings.port): \(error)")
        }
        context.log.info("api listening", .port(Int(address.port)))
        await shutdown.wait(for: .draining)
        await server.drain(deadline: settings.drainDeadline)
    }
}

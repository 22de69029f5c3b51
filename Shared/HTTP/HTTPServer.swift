package import Sockets

/// An HTTP/1.1 server: one listener and one handler per loop, all on one port.
///
/// A connection lives on the loop that accepted it, and so do the tasks that answer its requests.
package actor HTTPServer {
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loops[0].asUnownedSerialExecutor() }
    private nonisolated let loops: [EventLoop]
    private let configuration: HTTPServerConfiguration
    private let makeHandler: @Sendable (EventLoop) async throws -> any HTTPHandler
    private var shares: [ServerLoop] = []

    /// - Parameter makeHandler: called once per loop, on it, so that what it makes may stay on that loop.
    package init(
        configuration: HTTPServerConfiguration, loops: [EventLoop],
        makeHandler: @escaping @Sendable (EventLoop) async throws -> any HTTPHandler
    ) {
        precondition(!loops.isEmpty, "a server needs a loop")
        self.configuration = configuration
        self.loops = loops
        self.makeHandler = makeHandler
    }

    /// Makes the handlers, binds and begins to accept; returns the bound address.
    ///
    /// - Throws: ``SocketError`` when the address can not be bound, or what `makeHandler` throws.
    package func start() async throws -> SocketAddress {
        var configuration = configuration
        var handlers: [any HTTPHandler] = []
        for loop in loops { handlers.append(try await onLoop(loop, makeHandler)) }
        do {
            for (loop, handler) in zip(loops, handlers) {
                let share = ServerLoop(loop: loop, configuration: configuration, handler: handler, shares: loops.count)
                // The first listener finds the port; the others join it with SO_REUSEPORT.
                configuration.address = try await share.listen()
                shares.append(share)
            }
        } catch {
            await drain(deadline: .zero)
            throw error
        }
        for share in shares { await share.accept() }
        return configuration.address
    }

    /// Stops accepting, lets requests in flight finish with `Connection: close`, tells WebSockets 1001, and after
    /// `deadline` cuts off what is left. Returns when no connection is open.
    package func drain(deadline: Duration) async {
        await withDiscardingTaskGroup { group in
            for share in shares { group.addTask { await share.drain(deadline: deadline) } }
        }
        shares = []
    }

    /// Connections open now, WebSockets and tunnels included.
    package func openConnections() async -> Int {
        var count = 0
        for share in shares { count += await share.connectionCount }
        return count
    }

    private func onLoop(
        _ loop: EventLoop, _ make: @escaping @Sendable (EventLoop) async throws -> any HTTPHandler
    ) async throws -> any HTTPHandler {
        // Awaited here: the task only moves the call to the other loop.
        try await Task(executorPreference: loop) { @concurrent in try await make(loop) }.value
    }
}

import HTTP
import Platform
import Sockets
import Testing

/// A server on loopback with its own loops, for one test.
struct ServerFixture {
    let server: HTTPServer
    let address: SocketAddress
    let loops: [EventLoop]
    var loop: EventLoop { loops[0] }

    static func with(
        loops count: Int = 1, configure: (inout HTTPServerConfiguration) -> Void = { _ in },
        routes: @escaping @Sendable (inout Router) -> Void,
        _ body: (ServerFixture) async throws -> Void
    ) async throws {
        var configuration = HTTPServerConfiguration(address: try #require(SocketAddress(ip: "127.0.0.1", port: 0)))
        configuration.tick = .milliseconds(10)
        configure(&configuration)
        let loops = try EventLoop.group(count: count, name: "test")
        let server = HTTPServer(configuration: configuration, loops: loops) { _ in
            var router = Router()
            routes(&router)
            return router
        }
        let fixture = ServerFixture(server: server, address: try await server.start(), loops: loops)
        do {
            try await body(fixture)
            await server.drain(deadline: .milliseconds(100))
        } catch {
            await server.drain(deadline: .milliseconds(100))
            throw error
        }
        for loop in loops { loop.stop() }
    }

    func connect() async throws -> RawClient { try await RawClient.connect(loop, to: address) }
    func exchange(_ text: String) async throws -> String { try await RawClient.exchange(loop, address, text) }
}

/// Something that happens once and can be awaited.
final class Signal: Sendable {
    private struct State {
        var isSent = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Lock(State())

    func send() {
        let waiters = state.withLock { state in
            state.isSent = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isSent = state.withLock { state in
                if !state.isSent { state.waiters.append(continuation) }
                return state.isSent
            }
            if isSent { continuation.resume() }
        }
    }
}

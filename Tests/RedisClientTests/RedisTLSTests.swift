import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Redis over TLS", .needsRedis)
struct RedisTLSTests {
    private func refusal(_ configuration: RedisConfiguration, on loop: EventLoop) async throws -> String {
        let states = Reports<RedisConnection.State>()
        let connection = RedisConnection(loop: loop, configuration: configuration, onStateChange: states.report)
        await connection.start()
        let state = await states.next()
        await connection.close()
        guard case .disconnected(let reason) = state else { return "connected" }
        return reason
    }

    @Test(
        "a verified server works, large values included; another authority or name is refused",
        arguments: ["TLSv1.2", "TLSv1.3"])
    func verified(protocols: String) async throws {
        let server = try await TLSRedis(protocols: protocols)
        defer { server.stop() }
        let loop = try EventLoop()
        defer { loop.stop() }
        for host in ["127.0.0.1", "localhost"] {
            var configuration = try server.configuration(host: host, ca: server.rightCA)
            configuration.commandTimeout = .seconds(20)
            let connection = RedisConnection(loop: loop, configuration: configuration)
            try await connection.connect(timeout: .seconds(20))
            let value = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 131) }
            try await connection.send(RedisCommand("SET", "big", arguments: [value]))
            #expect(try await connection.send(RedisCommand("GET", "big")) == .string(value))
            let replies = try await connection.send((0..<2000).map { RedisCommand("ECHO", "\($0)") })
            #expect(replies.map(\.text) == (0..<2000).map { "\($0)" })
            await connection.close()
        }
        let wrongAuthority = try await refusal(
            try server.configuration(host: "127.0.0.1", ca: server.wrongCA), on: loop)
        #expect(wrongAuthority.contains("certificate refused"))
        let wrongName = try await refusal(try server.configuration(host: "127.0.0.2", ca: server.rightCA), on: loop)
        #expect(wrongName.contains("certificate refused"))
        #expect(wrongName.contains("IP address mismatch"))
        let noFile = try await refusal(try server.configuration(host: "127.0.0.1", ca: "/nowhere.pem"), on: loop)
        #expect(noFile.contains("TLS authorities /nowhere.pem"))
    }

    @Test("messages come through TLS, and through a new connection after a kill")
    func subscriber() async throws {
        let server = try await TLSRedis(protocols: "TLSv1.3")
        defer { server.stop() }
        let loop = try EventLoop()
        defer { loop.stop() }
        var configuration = try server.configuration(host: "127.0.0.1", ca: server.rightCA)
        let connection = RedisConnection(loop: loop, configuration: configuration)
        try await connection.connect(timeout: .seconds(20))
        configuration.clientName = "watcher"
        let messages = Reports<[UInt8]>()
        let states = Reports<RedisSubscriber.State>()
        let subscriber = RedisSubscriber(
            loop: loop, configuration: configuration, onMessage: { messages.report($1) }, onStateChange: states.report)
        try await subscriber.connect()
        try await subscriber.subscribe("c")
        let large = [UInt8](repeating: 9, count: 300_000)
        try await connection.send(RedisCommand("PUBLISH", "c", arguments: [large]))
        #expect(await messages.next() == large)
        #expect(try await TestRedis.kill(clientNamed: "watcher", through: connection) == 1)
        #expect(await states.next { $0 == .connected(generation: 2) } != nil)
        try await connection.send(RedisCommand("PUBLISH", "c", "again"))
        #expect(await messages.next() == Array("again".utf8))
        await subscriber.close()
        await connection.close()
    }

    @Test("a server that speaks no TLS is an error, and one that says nothing is given up at the deadline")
    func notTLS() async throws {
        let loop = try EventLoop()
        defer { loop.stop() }
        let any = try #require(SocketAddress(ip: "127.0.0.1", port: 0))
        let served = Lock([(Transport, Greeter)]())
        let plain = try Listener(loop: loop, address: any) { accepted in
            let transport = Transport(loop: loop, accepted: accepted)
            let greeter = Greeter(transport)
            served.withLock { $0.append((transport, greeter)) }
            try? transport.start(delegate: greeter)
        }
        plain.start()
        var configuration = RedisConfiguration(host: "127.0.0.1", port: plain.address.port)
        configuration.endpoint.usesTLS = true
        #expect(try await refusal(configuration, on: loop).contains("TLS handshake: error"))

        let silent = try Listener(loop: loop, address: any) { _ in }
        silent.start()
        configuration.endpoint.port = silent.address.port
        configuration.connectTimeout = .seconds(3)
        #expect(try await refusal(configuration, on: loop).contains("TLS handshake: not finished"))
    }
}

private final class Greeter: TransportDelegate {
    private let transport: Transport
    init(_ transport: Transport) { self.transport = transport }
    func transportReceived(_ bytes: ArraySlice<UInt8>) { transport.send(Array("-ERR not TLS\r\n".utf8)) }
    func transportReachedEnd() { transport.close() }
    func transportDrained() {}
    func transportClosed(_ error: SocketError?) {}
}

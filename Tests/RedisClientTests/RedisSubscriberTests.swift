import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Redis subscriber", .needsRedis)
struct RedisSubscriberTests {
    private struct Received: Sendable, Equatable {
        let channel: String
        let payload: [UInt8]
    }

    @Test("a message published right after subscribe returned is received, with any bytes in it")
    func confirmed() async throws {
        try await TestRedis.use { loop, connection, prefix in
            let messages = Reports<Received>()
            let subscriber = RedisSubscriber(
                loop: loop, configuration: try TestRedis.configuration(),
                onMessage: { messages.report(Received(channel: $0, payload: $1)) })
            try await subscriber.connect()
            for number in 0..<50 {
                let channel = "\(prefix):\(number)"
                try await subscriber.subscribe(channel)
                let payload: [UInt8] = [0, 0x0D, 0x0A, 0xFF, UInt8(number)]
                #expect(try await connection.send(RedisCommand("PUBLISH", channel, arguments: [payload])).integer == 1)
                #expect(await messages.next() == Received(channel: channel, payload: payload))
            }
            await subscriber.close()
        }
    }

    @Test("after unsubscribe Redis knows no subscriber, and subscribing again works at once")
    func unsubscribes() async throws {
        try await TestRedis.use { loop, connection, prefix in
            let messages = Reports<Received>()
            let subscriber = RedisSubscriber(
                loop: loop, configuration: try TestRedis.configuration(),
                onMessage: { messages.report(Received(channel: $0, payload: $1)) })
            try await subscriber.connect()
            try await subscriber.subscribe(prefix)
            await subscriber.unsubscribe(prefix)
            // Another channel's confirmation shows that the UNSUBSCRIBE before it was carried out.
            try await subscriber.subscribe("\(prefix):other")
            #expect(try await connection.send(RedisCommand("PUBLISH", prefix, "lost")).integer == 0)
            try await subscriber.subscribe(prefix)
            #expect(try await connection.send(RedisCommand("PUBLISH", prefix, "heard")).integer == 1)
            #expect(await messages.next()?.payload == Array("heard".utf8))
            #expect(await subscriber.channels == [prefix, "\(prefix):other"])
            await subscriber.close()
        }
    }

    @Test("subscribes again to everything after it is killed, and says so", arguments: [1, 700])
    func resubscribes(channels: Int) async throws {
        try await TestRedis.use { loop, connection, prefix in
            var configuration = try TestRedis.configuration()
            configuration.clientName = prefix
            let messages = Reports<Received>()
            let states = Reports<RedisSubscriber.State>()
            let subscriber = RedisSubscriber(
                loop: loop, configuration: configuration,
                onMessage: { messages.report(Received(channel: $0, payload: $1)) }, onStateChange: states.report)
            try await subscriber.connect()
            #expect(await states.next() == .connected(generation: 1))
            for number in 0..<channels { try await subscriber.subscribe("\(prefix):\(number)") }
            #expect(try await TestRedis.kill(clientNamed: prefix, through: connection) == 1)
            #expect(await states.next { $0 == .connected(generation: 2) } != nil)
            for number in 0..<channels {
                #expect(try await connection.send(RedisCommand("PUBLISH", "\(prefix):\(number)", "again")).integer == 1)
            }
            #expect(await messages.next()?.payload == Array("again".utf8))
            await subscriber.close()
            #expect(states.values.last == .closed)
        }
    }

    @Test("what was wanted while Redis was away is subscribed before the first connection is announced")
    func wantedEarly() async throws {
        try await TestRedis.use { loop, connection, prefix in
            let messages = Reports<Received>()
            let states = Reports<RedisSubscriber.State>()
            let subscriber = RedisSubscriber(
                loop: loop, configuration: try TestRedis.configuration(),
                onMessage: { messages.report(Received(channel: $0, payload: $1)) }, onStateChange: states.report)
            let error = await #expect(throws: RedisError.self) { try await subscriber.subscribe(prefix) }
            #expect(error?.code == .unavailable)
            await subscriber.start()
            #expect(await states.next() == .connected(generation: 1))
            #expect(try await connection.send(RedisCommand("PUBLISH", prefix, "x")).integer == 1)
            #expect(await messages.next() == Received(channel: prefix, payload: [0x78]))
            await subscriber.close()
        }
    }

    @Test("a peer that goes silent is given up by ping")
    func silentPeer() async throws {
        let loop = try EventLoop()
        // Answers the first PING of the greeting and nothing after it.
        let served = Lock([(Transport, OneAnswer)]())
        let listener = try Listener(loop: loop, address: try #require(SocketAddress(ip: "127.0.0.1", port: 0))) {
            accepted in
            let transport = Transport(loop: loop, accepted: accepted)
            let answer = OneAnswer(transport)
            served.withLock { $0.append((transport, answer)) }
            try? transport.start(delegate: answer)
        }
        listener.start()
        var configuration = RedisConfiguration(host: "127.0.0.1", port: listener.address.port)
        configuration.pingInterval = .milliseconds(20)
        configuration.commandTimeout = .milliseconds(50)
        configuration.backoff = Backoff(first: .milliseconds(1), cap: .milliseconds(5))
        let states = Reports<RedisSubscriber.State>()
        let subscriber = RedisSubscriber(
            loop: loop, configuration: configuration, onMessage: { _, _ in }, onStateChange: states.report)
        await subscriber.start()
        #expect(await states.next() == .connected(generation: 1))
        guard case .disconnected = await states.next() else { Issue.record("expected a disconnect"); return }
        #expect(await states.next() == .connected(generation: 2))
        await subscriber.close()
        loop.stop()
    }
}

private final class OneAnswer: TransportDelegate {
    private let transport: Transport
    private let hasAnswered = Lock(false)
    init(_ transport: Transport) { self.transport = transport }
    func transportReceived(_ bytes: ArraySlice<UInt8>) {
        let isFirst = hasAnswered.withLock { answered in
            defer { answered = true }
            return !answered
        }
        if isFirst { transport.send(Array("+PONG\r\n".utf8)) }
    }
    func transportReachedEnd() { transport.close() }
    func transportDrained() {}
    func transportClosed(_ error: SocketError?) {}
}

import Platform
import Sockets
import Testing

@testable import HTTP

/// Echoes what it gets, and does what some words ask.
private final class Echo: WebSocketDelegate {
    let session: WebSocketSession
    let log: WebSocketTests.Journal

    init(_ session: WebSocketSession, _ log: WebSocketTests.Journal) {
        self.session = session
        self.log = log
    }

    func webSocketReceived(_ message: WebSocketMessage) {
        switch message {
        case .text("close"): session.close(CloseCode(rawValue: 4001), reason: "as you wish")
        case .text("flood"): flood()
        case .text(let text): _ = session.enqueue(.text("echo \(text)"))
        case .binary(let bytes): _ = session.enqueue(.binary(bytes))
        default: break
        }
    }

    private func flood() {
        let frame = Frame.binary([UInt8](repeating: 1, count: 60_000))
        var count = 0
        while session.enqueue(frame) == .queued { count += 1 }
        log.add("full after \(count)")
        session.notifyWhenDrained()
    }

    func webSocketDrained() {
        log.add("drained")
        _ = session.enqueue(.text("drained"))
    }
    func webSocketWillShutDown() { _ = session.enqueue(.text("warning")) }
    func webSocketClosed(_ code: CloseCode, reason: String) { log.add("closed \(code.rawValue) \(reason)") }
}

@Suite("A WebSocket", .timeLimit(.minutes(1)))
struct WebSocketTests {
    /// What delegates were told, in order; can be awaited.
    final class Journal: Sendable {
        private let lines = Lock<[String]>([])
        let closed = Signal()

        func add(_ line: String) {
            lines.withLock { $0.append(line) }
            if line.hasPrefix("closed") { closed.send() }
        }
        var all: [String] { lines.withLock { $0 } }
    }

    static func with(
        settings: WebSocketSettings = WebSocketSettings(), _ body: (ServerFixture, Journal) async throws -> Void
    ) async throws {
        let journal = Journal()
        try await ServerFixture.with(routes: { router in
            router.on(.get, "/ws") { request, _ in
                let handshake = try Handshake(request.head)
                let chosen = handshake.offeredProtocols.first { $0 == "v1" }
                return .webSocket(
                    WebSocketUpgrade(handshake, subprotocol: chosen, settings: settings) { Echo($0, journal) })
            }
        }) { fixture in try await body(fixture, journal) }
    }

    static func connect(_ fixture: ServerFixture, protocols: [String] = []) async throws -> WebSocketClient {
        try await WebSocketClient.connect(
            loop: fixture.loop, to: [fixture.address], host: "a", target: "/ws", protocols: protocols)
    }

    @Test("carries messages both ways, and agrees on a subprotocol")
    func echo() async throws {
        try await Self.with { fixture, _ in
            let client = try await Self.connect(fixture, protocols: ["other", "v1"])
            #expect(await client.subprotocol == "v1")
            try await client.send("héllo")
            #expect(await client.receive() == .text("echo héllo"))
            for size in [0, 1, 125, 126, 65_535, 65_536] {
                try await client.send([UInt8](repeating: 7, count: size))
                #expect(await client.receive() == .binary([UInt8](repeating: 7, count: size)))
            }
            try await client.ping([1, 2])
            #expect(await client.receive() == .pong([1, 2]))
            await client.abort()
        }
    }

    @Test("takes frames that come with the request that opens it")
    func early() async throws {
        try await Self.with { fixture, _ in
            let client = try await fixture.connect()
            let fields = HandshakeTests.fields.map { "\($0.key): \($0.value)\r\n" }.joined()
            await client.send(Array("GET /ws HTTP/1.1\r\n\(fields)\r\n".utf8) + FrameTests.masked(.text, "hi"))
            let answer = await client.read(to: "echo hi")
            #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
            #expect(!answer.contains("Sec-WebSocket-Protocol"))
            await client.close()
        }
    }

    @Test("refuses a plain request and other paths")
    func refused() async throws {
        try await Self.with { fixture, _ in
            let answer = try await fixture.exchange("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(HTTPServerTests.status(answer) == 426)
            #expect(answer.contains("Sec-WebSocket-Version: 13\r\n"))
            await #expect(throws: WebSocketClientError.refused(status: 404)) {
                try await WebSocketClient.connect(loop: fixture.loop, to: [fixture.address], host: "a", target: "/no")
            }
        }
    }

    @Test("is closed by the client with its code")
    func clientCloses() async throws {
        try await Self.with { fixture, journal in
            let client = try await Self.connect(fixture)
            await client.close(.goingAway, reason: "bye")
            #expect(await client.receive() == nil)
            #expect(await client.closeCode == .goingAway)
            await journal.closed.wait()
            #expect(journal.all == ["closed 1001 bye"])
        }
    }

    @Test("is closed by the server with its code and reason")
    func serverCloses() async throws {
        try await Self.with { fixture, journal in
            let client = try await Self.connect(fixture)
            try await client.send("close")
            #expect(await client.receive() == nil)
            #expect(await client.closeCode.rawValue == 4001)
            #expect(await client.closeReason == "as you wish")
            await journal.closed.wait()
            #expect(journal.all == ["closed 4001 as you wish"])
        }
    }

    @Test("tells its owner of a client that is simply gone")
    func gone() async throws {
        try await Self.with { fixture, journal in
            let client = try await Self.connect(fixture)
            await client.abort()
            await journal.closed.wait()
            #expect(journal.all == ["closed 1006 "])
        }
    }

    @Test(
        "fails with the code of the rule that was broken",
        arguments: FrameTests.table.filter {
            if case .failed = $0.expected { true } else { false }
        })
    func violations(example: FrameTests.Case) async throws {
        guard case .failed(_, let code) = example.expected else { return }
        var settings = WebSocketSettings()
        settings.messageBytes = 1000
        try await Self.with(settings: settings) { fixture, journal in
            let client = try await Self.connect(fixture)
            await client.sendRaw(example.bytes)
            while await client.receive() != nil {}
            #expect(await client.closeCode.rawValue == code)
            await journal.closed.wait()
            #expect(journal.all.last?.hasPrefix("closed \(code) ") == true)
        }
    }

    @Test("takes a message of 64 KiB by default, not one byte more")
    func messageLimit() async throws {
        try await Self.with { fixture, _ in
            let client = try await Self.connect(fixture)
            try await client.send([UInt8](repeating: 1, count: 65_536))
            #expect(await client.receive() != nil)
            try await client.send([UInt8](repeating: 1, count: 65_537))
            #expect(await client.receive() == nil)
            #expect(await client.closeCode == .messageTooBig)
        }
    }

    @Test("holds a bounded number of bytes for a slow client and says when they have left")
    func outbox() async throws {
        var settings = WebSocketSettings()
        settings.outboxBytes = 200_000
        try await Self.with(settings: settings) { fixture, journal in
            let client = try await Self.connect(fixture)
            try await client.send("flood")
            for _ in 0..<3 { #expect(await client.receive() == .binary([UInt8](repeating: 1, count: 60_000))) }
            #expect(await client.receive() == .text("drained"))
            #expect(journal.all == ["full after 3", "drained"])
            await client.abort()
        }
    }

    @Test("pings a silent client and drops one that does not answer")
    func pings() async throws {
        var settings = WebSocketSettings()
        settings.pingInterval = .milliseconds(30)
        settings.pongTimeout = .milliseconds(60)
        settings.closeTimeout = .milliseconds(50)
        try await Self.with(settings: settings) { fixture, journal in
            let client = try await fixture.connect()
            let fields = HandshakeTests.fields.map { "\($0.key): \($0.value)\r\n" }.joined()
            await client.send("GET /ws HTTP/1.1\r\n\(fields)\r\n")
            // An empty ping is 0x89 0x00; on a busy machine it may come together with the 101.
            let opening = await client.read { bytes in
                bytes.indices.dropLast().contains { bytes[$0] == 0x89 && bytes[$0 + 1] == 0 }
            }
            #expect(opening.hasPrefix("HTTP/1.1 101"))
            #expect(opening.contains("\u{FFFD}\0"))
            await client.send(FrameTests.masked(.pong, ""))
            _ = await client.readAll()
            await journal.closed.wait()
            #expect(journal.all == ["closed 1011 The client did not answer a ping."])
            await client.close()
        }
    }

    @Test("is told 1001 when the server drains, after its owner's last word")
    func drain() async throws {
        try await Self.with { fixture, journal in
            let client = try await Self.connect(fixture)
            let server = fixture.server
            let draining = Task { await server.drain(deadline: .seconds(30)) }
            #expect(await client.receive() == .text("warning"))
            #expect(await client.receive() == nil)
            #expect(await client.closeCode == .goingAway)
            await draining.value
            #expect(journal.all == ["closed 1001 The server is shutting down."])
        }
    }

    @Test("shares one frame among many, which each get whole")
    func sharedFrames() async throws {
        let sessions = Lock<[WebSocketSession]>([])
        try await ServerFixture.with(routes: { router in
            router.on(.get, "/ws") { request, _ in
                .webSocket(
                    WebSocketUpgrade(try Handshake(request.head)) { session in
                        sessions.withLock { $0.append(session) }
                        return HandshakeTests.NoDelegate()
                    })
            }
        }) { fixture in
            var clients: [WebSocketClient] = []
            for _ in 0..<20 { clients.append(try await Self.connect(fixture)) }
            fixture.loop.execute {
                for number in 0..<50 {
                    let frame = Frame.text("message \(number)")
                    for session in sessions.withLock({ $0 }) { _ = session.enqueue(frame) }
                }
            }
            for client in clients {
                for number in 0..<50 { #expect(await client.receive() == .text("message \(number)")) }
                await client.abort()
            }
            sessions.withLock { $0 = [] }
        }
    }
}

@Suite("A tunnel", .timeLimit(.minutes(1)))
struct TunnelTests {
    /// A front server that passes /ws on to `back`.
    static func with(
        back: SocketAddress, settings: TunnelSettings = TunnelSettings(), _ body: (ServerFixture) async throws -> Void
    ) async throws {
        try await ServerFixture.with(
            routes: { router in
                router.on(.get, "/ws") { request, context in
                    let forwarded: Headers = ["X-Forwarded-For": HeaderValue(context.peer.host) ?? ""]
                    return .tunnel(
                        try await Tunnel.connect(
                            to: [back], for: request, context, replacing: forwarded, settings: settings))
                }
                router.on(.get, "/ok") { _, _ in .text("ok") }
            }, body)
    }

    @Test("carries a WebSocket through another server")
    func webSocket() async throws {
        try await WebSocketTests.with { back, journal in
            try await Self.with(back: back.address) { front in
                let client = try await WebSocketTests.connect(front, protocols: ["v1"])
                #expect(await client.subprotocol == "v1")
                for number in 0..<20 {
                    try await client.send("\(number)")
                    #expect(await client.receive() == .text("echo \(number)"))
                }
                try await client.send("flood")
                #expect(await client.receive() == .binary([UInt8](repeating: 1, count: 60_000)))
                while let message = await client.receive(), message != .text("drained") {}
                await client.close(.normal, reason: "done")
                #expect(await client.receive() == nil)
                #expect(await client.closeCode == .normal)
                await journal.closed.wait()
            }
        }
    }

    @Test("passes a refusal on and lets nothing more through")
    func refusal() async throws {
        let asked = Lock<[String]>([])
        try await ServerFixture.with(routes: { router in
            router.on(.get, "/ws") { request, _ in
                asked.withLock { $0.append(request[header: "x-forwarded-for"] ?? "none") }
                return .text("no entry", status: .unauthorized)
            }
        }) { back in
            try await Self.with(back: back.address) { front in
                let client = try await front.connect()
                let fields = HandshakeTests.fields.map { "\($0.key): \($0.value)\r\n" }.joined()
                let request = "GET /ws HTTP/1.1\r\n\(fields)X-Forwarded-For: 6.6.6.6\r\n\r\n"
                await client.send(request + request)
                let answer = await client.readAll()
                #expect(HTTPServerTests.status(answer) == 401)
                #expect(answer.hasSuffix("no entry"))
                #expect(asked.withLock { $0 } == ["127.0.0.1"])
                await client.close()
            }
        }
    }

    @Test("is 502 when nothing listens, 400 for a request that asks no upgrade, 504 when there is no answer")
    func unreachable() async throws {
        let nowhere = try #require(SocketAddress(ip: "127.0.0.1", port: 1))
        try await Self.with(back: nowhere) { front in
            await #expect(throws: WebSocketClientError.refused(status: 502)) { try await WebSocketTests.connect(front) }
            let answer = try await front.exchange("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(HTTPServerTests.status(answer) == 400)
        }
        let loop = try EventLoop(name: "silent")
        let silent = try Listener(loop: loop, address: try #require(SocketAddress(ip: "127.0.0.1", port: 0))) { _ in }
        var settings = TunnelSettings()
        settings.answerTimeout = .milliseconds(50)
        try await Self.with(back: silent.address, settings: settings) { front in
            await #expect(throws: WebSocketClientError.refused(status: 504)) { try await WebSocketTests.connect(front) }
        }
        loop.execute { silent.close() }
        loop.stop()
    }

    @Test("ends when the front server drains")
    func drain() async throws {
        try await WebSocketTests.with { back, journal in
            try await Self.with(back: back.address) { front in
                let client = try await WebSocketTests.connect(front)
                try await client.send("x")
                _ = await client.receive()
                await front.server.drain(deadline: .seconds(30))
                #expect(await client.receive() == nil)
                await journal.closed.wait()
            }
        }
    }

    @Test("stops reading from the side whose other side is slow")
    func backpressure() async throws {
        let session = Lock<WebSocketSession?>(nil)
        let opened = Signal()
        try await ServerFixture.with(routes: { router in
            router.on(.get, "/ws") { request, _ in
                var settings = WebSocketSettings()
                settings.outboxBytes = 64 * 1024 * 1024
                return .webSocket(
                    WebSocketUpgrade(try Handshake(request.head), settings: settings) { made in
                        session.withLock { $0 = made }
                        opened.send()
                        return HandshakeTests.NoDelegate()
                    })
            }
        }) { back in
            try await Self.with(back: back.address) { front in
                let client = try await WebSocketTests.connect(front)
                await opened.wait()
                await client.setReading(false)
                let backLoop = back.loop
                // 32 MiB do not fit into the sockets' buffers and the tunnel's together: some must stay at the source.
                let left = await withCheckedContinuation { (done: CheckedContinuation<Int, Never>) in
                    backLoop.execute {
                        guard let session = session.withLock({ $0 }) else { return done.resume(returning: -1) }
                        for _ in 0..<512 { _ = session.enqueue(.binary([UInt8](repeating: 2, count: 64 * 1024))) }
                        backLoop.schedule(after: .milliseconds(300)) { done.resume(returning: session.pendingBytes) }
                    }
                }
                #expect(left > 1024 * 1024)
                await client.setReading(true)
                for _ in 0..<512 { #expect(await client.receive() == .binary([UInt8](repeating: 2, count: 64 * 1024))) }
                await client.abort()
                session.withLock { $0 = nil }
            }
        }
    }
}

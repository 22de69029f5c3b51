import Platform
import Sockets
import Testing

@testable import HTTP

/// RFC 6455 and RFC 7692 over real sockets, against a server that says back what it hears, through all that the gateway's
/// own sockets go through. The Autobahn suite (scripts/check-websocket.sh) asks more of it, and needs a Python of its own;
/// this one runs with every change.
@Suite("WebSocket conformance", .timeLimit(.minutes(2)))
struct ConformanceTests {
    static let messageBytes = 256 * 1024

    /// Says what it hears.
    private final class Echo: WebSocketDelegate {
        private let session: WebSocketSession

        init(_ session: WebSocketSession) { self.session = session }

        func webSocketReceived(_ message: WebSocketMessage) {
            switch message {
            case .text(let text): _ = session.enqueue(.text(text))
            case .binary(let bytes): _ = session.enqueue(.binary(bytes))
            default: break
            }
        }

        func webSocketClosed(_ code: CloseCode, reason: String) {}
    }

    private static func with(compresses: Bool = true, _ body: (ServerFixture) async throws -> Void) async throws {
        var settings = WebSocketSettings()
        settings.messageBytes = messageBytes
        settings.outboxBytes = 8 * messageBytes
        settings.compresses = compresses
        try await ServerFixture.with(
            routes: { [settings] router in
                router.on(.get, "/ws") { request, _ in
                    .webSocket(WebSocketUpgrade(try Handshake(request.head), settings: settings) { Echo($0) })
                }
            }, body)
    }

    private static func judge(_ example: ConformanceCase) async throws {
        try await with { fixture in
            let (peer, answer) = try await ConformancePeer.open(fixture, offer: example.offer)
            #expect((answer != nil) == (example.offer != nil))
            await peer.send(example.bytes, by: example.chop)
            for expected in example.answers { #expect(await peer.next() == expected) }
            if example.failure == nil { await peer.send(ClientFrame.close(1000).bytes) }
            #expect(await peer.next() == .close(example.failure ?? 1000))
            #expect(await peer.next() == .end)
            await peer.drop()
        }
    }

    @Test("of lengths, masks, reserved bits and opcodes", arguments: FramingCases.all)
    func framing(example: ConformanceCase) async throws { try await Self.judge(example) }

    @Test("of fragments, pings and pongs", arguments: MessageCases.all)
    func messages(example: ConformanceCase) async throws { try await Self.judge(example) }

    @Test("of closing", arguments: CloseCases.all)
    func closing(example: ConformanceCase) async throws { try await Self.judge(example) }

    @Test("of UTF-8", arguments: TextCases.all)
    func text(example: ConformanceCase) async throws { try await Self.judge(example) }

    @Test("of permessage-deflate", arguments: DeflateCases.all)
    func deflate(example: ConformanceCase) async throws { try await Self.judge(example) }

    @Test("of a close without a code, and of a client that goes without one")
    func emptyClose() async throws {
        try await Self.with { fixture in
            let (peer, _) = try await ConformancePeer.open(fixture, offer: nil)
            await peer.send(ClientFrame.emptyClose.bytes)
            #expect(await peer.next() == .close(nil))
            #expect(await peer.next() == .end)
            await peer.drop()
            let (next, _) = try await ConformancePeer.open(fixture, offer: nil)
            await next.drop()
        }
    }

    @Test("of a thousand messages in a row, all answered in order")
    func row() async throws {
        try await Self.with { fixture in
            for offer in [nil, "permessage-deflate"] {
                let (peer, _) = try await ConformancePeer.open(fixture, offer: offer)
                let texts = (0..<1000).map { Array("\($0) \(String(repeating: "words ", count: $0 % 90))".utf8) }
                await peer.send(texts.flatMap { ClientFrame.text($0).bytes })
                for text in texts { #expect(await peer.next() == .text(text)) }
                #expect((await peer.compressedBytes > 0) == (offer != nil))
                await peer.drop()
            }
        }
    }

    @Test("of what is offered and what is agreed on", arguments: DeflateCases.negotiations)
    func negotiation(offer: String, isAgreed: Bool) async throws {
        for allowed in [true, false] {
            try await Self.with(compresses: allowed) { fixture in
                let (peer, answer) = try await ConformancePeer.open(fixture, offer: offer)
                #expect((answer != nil) == (isAgreed && allowed))
                // A response names nothing that was not offered, and nothing twice (RFC 7692 §7.1).
                let parts = answer?.split(separator: ";").map { HeaderText.trimmed($0) } ?? []
                #expect(Set(parts).count == parts.count)
                #expect(
                    parts.contains { $0.hasPrefix("server_max_window_bits") }
                        == (answer != nil && offer.contains("server_max_window_bits=")))
                await peer.send(ClientFrame.text("still here").bytes)
                #expect(await peer.next() == FramingCases.said("still here"))
                await peer.drop()
            }
        }
    }

    @Test("of a window that the client asked for: what lies further back is not referred to", arguments: [9, 10, 15])
    func window(bits: Int) async throws {
        try await Self.with { fixture in
            let (peer, _) = try await ConformancePeer.open(
                fixture, offer: "permessage-deflate; server_max_window_bits=\(bits)")
            // Repeats after 600 bytes: within a window of 1024, not of 512.
            let unit = DeflateCases.noise(600)
            let bytes = unit + unit + unit + unit
            await peer.send(ClientFrame.binary(bytes).bytes)
            #expect(await peer.next() == .binary(bytes))
            // Without a reference back only the uneven frequencies of 600 bytes are left to save on.
            let size = await peer.compressedBytes
            #expect((1..<1000).contains(size) == (bits > 9), "\(size)")
            await peer.drop()
        }
    }

    // MARK: The opening handshake (RFC 6455 §4.2)

    private static let opening: [(name: String, lines: [String], status: Int)] = {
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        let version = "Sec-WebSocket-Version: 13"
        let (get, host, upgrade, connection) = (
            "GET /ws HTTP/1.1", "Host: a", "Upgrade: websocket", "Connection: Upgrade"
        )
        return [
            ("a right one", [get, host, upgrade, connection, version, key], 101),
            ("in other letters", [get, "HOST: a", "UPGRADE: WebSocket", "CONNECTION: upgrade", version, key], 101),
            (
                "with more tokens", [get, host, "Upgrade: websocket", "Connection: keep-alive, Upgrade", version, key],
                101
            ),
            (
                "with a subprotocol nobody knows",
                [get, host, upgrade, connection, version, key, "Sec-WebSocket-Protocol: x"], 101
            ),
            ("with an origin", [get, host, upgrade, connection, version, key, "Origin: http://a"], 101),
            (
                "with strange extensions",
                [get, host, upgrade, connection, version, key, "Sec-WebSocket-Extensions: a;b=\"c"], 101
            ),
            ("POST", ["POST /ws HTTP/1.1", host, upgrade, connection, version, key, "Content-Length: 0"], 405),
            ("HTTP/1.0", ["GET /ws HTTP/1.0", host, upgrade, connection, version, key], 426),
            ("no host", [get, upgrade, connection, version, key], 400),
            ("no upgrade", [get, host, connection, version, key], 426),
            ("another upgrade", [get, host, "Upgrade: h2c", connection, version, key], 426),
            ("no connection", [get, host, upgrade, version, key], 426),
            ("a connection that is kept alive", [get, host, upgrade, "Connection: keep-alive", version, key], 426),
            ("no version", [get, host, upgrade, connection, key], 426),
            ("version 8", [get, host, upgrade, connection, "Sec-WebSocket-Version: 8", key], 426),
            ("two versions", [get, host, upgrade, connection, version, "Sec-WebSocket-Version: 8", key], 426),
            ("no key", [get, host, upgrade, connection, version], 400),
            ("two keys", [get, host, upgrade, connection, version, key, key], 400),
            ("an empty key", [get, host, upgrade, connection, version, "Sec-WebSocket-Key: "], 400),
            ("a short key", [get, host, upgrade, connection, version, "Sec-WebSocket-Key: c2hvcnQ="], 400),
            (
                "a key that is not base 64",
                [get, host, upgrade, connection, version, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q=="], 400
            ),
            ("a body", [get, host, upgrade, connection, version, key, "Content-Length: 2"], 400),
            (
                "a subprotocol that is no token",
                [get, host, upgrade, connection, version, key, "Sec-WebSocket-Protocol: a b"], 400
            ),
        ]
    }()

    @Test("of opening", arguments: opening)
    func handshake(name: String, lines: [String], status: Int) async throws {
        try await Self.with { fixture in
            let client = try await fixture.connect()
            await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (name == "a body" ? "{}" : ""))
            let answer = await client.read { String(decoding: $0, as: UTF8.self).contains("\r\n\r\n") }
            #expect(HTTPServerTests.status(answer) == status)
            #expect(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") == (status == 101))
            #expect(answer.contains("Sec-WebSocket-Version: 13\r\n") == (status == 426))
            #expect(!answer.contains("Sec-WebSocket-Protocol") && !answer.contains("Sec-WebSocket-Extensions"))
            await client.close()
        }
    }
}

import Contracts
import Domain
import HTTP
import Platform
import ServiceKit
import Storage
import Testing

@testable import aragora_ws_gateway

@Suite("A WebSocket client of the gateway", .timeLimit(.minutes(2)))
struct ClientSessionTests {
    static let debate = HubTests.debate
    static let auth = ["ARAGORA_API_TOKEN": GatewayFixture.token]

    @Test(
        "is refused with 401 and a flat body without a credential, or with a wrong one",
        arguments: [
            "", "?token=wrong", "?token=", "?token=a:1:00",
        ])
    func unauthorized(query: String) async throws {
        try await GatewayFixture.with(Self.auth) { gateway in
            await #expect(throws: WebSocketClientError.refused(status: 401)) { try await gateway.viewer(query) }
        }
    }

    @Test("may show its credential as header, query item or subprotocol", arguments: ["header", "query", "protocol"])
    func credentials(way: String) async throws {
        try await GatewayFixture.with(Self.auth) { gateway in
            let token = GatewayFixture.token
            let viewer =
                switch way {
                case "header":
                    try await gateway.viewer(headers: ["Authorization": HeaderValue("Bearer \(token)") ?? ""])
                case "query": try await gateway.viewer("?token=\(token)")
                default: try await gateway.viewer(protocols: ["access_token.\(token)", "aragora-v1"])
                }
            #expect(try await viewer.next()["data"]?["authenticated"]?.bool == true)
            #expect(await viewer.socket.subprotocol == (way == "protocol" ? "aragora-v1" : nil))
        }
    }

    @Test("with an expired token is refused; one whose token expires is told so and closed with 4001")
    func expiry() async throws {
        try await GatewayFixture.with(Self.auth) { gateway in
            let old = GatewayFixture.signedToken("admin", secondsFromNow: -5)
            await #expect(throws: WebSocketClientError.refused(status: 401)) {
                try await gateway.viewer("?token=\(old)")
            }
            let short = GatewayFixture.signedToken("admin", secondsFromNow: 1)
            let viewer = try await gateway.viewer("?token=\(short)")
            let messages = try await viewer.readAll()
            #expect(messages.types == ["connected", "connection_info", "auth_revoked"])
            #expect(await viewer.closeCode == 4001)
        }
    }

    /// An access token of somebody in an organization.
    private static func access(
        _ gateway: GatewayFixture, _ organization: OrganizationID, session: UInt8, version: Int64 = 1
    ) throws -> String {
        let user = UserID(milliseconds: 1, random: [UInt8](repeating: session, count: 10))
        let id = SessionID(milliseconds: 1, random: [UInt8](repeating: session, count: 10))
        return try gateway.access.tokens.make(
            .access,
            for: .init(user: user, email: "a@b.c", organization: organization, role: .member, version: version),
            session: id, now: WallClock.nowMilliseconds() / 1000
        ).text
    }

    @Test("whose credential is revoked is told so and closed with 4001, and nobody else")
    func revoked() async throws {
        try await GatewayFixture.with(Self.auth) { gateway in
            let leaving = try await gateway.viewer("?token=\(try Self.access(gateway, .default, session: 1))")
            let staying = try await gateway.viewer("?token=\(try Self.access(gateway, .default, session: 2))")
            let changed = try await gateway.viewer("?token=\(try Self.access(gateway, .default, session: 3))")
            for viewer in [leaving, staying, changed] { try await viewer.read(to: "connection_info") }
            let later = Timestamp(milliseconds: WallClock.nowMilliseconds() + 60_000)
            let session = SessionID(milliseconds: 1, random: [UInt8](repeating: 1, count: 10))
            let user = UserID(milliseconds: 1, random: [UInt8](repeating: 3, count: 10))
            gateway.revocations.learn(
                [
                    Revocation(kind: .session, value: session.text, version: 0, expiresAt: later),
                    Revocation(kind: .user, value: user.text, version: 2, expiresAt: later),
                ], now: WallClock.nowMilliseconds())
            await gateway.hub.dismissRefused()
            for viewer in [leaving, changed] {
                #expect(try await viewer.readAll().types == ["auth_revoked"])
                #expect(await viewer.closeCode == 4001)
            }
            #expect(try await staying.settle().isEmpty)
            let again = try Self.access(gateway, .default, session: 1)
            await #expect(throws: WebSocketClientError.refused(status: 401)) {
                try await gateway.viewer("?token=\(again)")
            }
        }
    }

    @Test("sees the debates of its organization, and of another not even that they are there")
    func organizations() async throws {
        try await GatewayFixture.with(Self.auth) { gateway in
            let other = OrganizationID(milliseconds: 1, random: [UInt8](repeating: 9, count: 10))
            gateway.log.put(Chain(Self.debate, count: 3), organization: other)
            let stranger = try await gateway.viewer("?token=\(try Self.access(gateway, .default, session: 1))")
            try await stranger.subscribe(Self.debate)
            let refused = try await stranger.read(to: "error")
            #expect(refused.last?["data"]?["code"]?.int == 404 && refused.seqs.isEmpty)
            let owner = try await gateway.viewer("?token=\(try Self.access(gateway, other, session: 2))")
            try await owner.subscribe(Self.debate)
            #expect(try await owner.read(through: 3).seqs == [1, 2, 3])
            let operator_ = try await gateway.viewer("?token=\(GatewayFixture.token)")
            try await operator_.subscribe(Self.debate)
            #expect(try await operator_.read(through: 3).seqs == [1, 2, 3])
        }
    }

    @Test("an address opens no more sockets than it may, and gets a place back when one closes")
    func addressLimit() async throws {
        try await GatewayFixture.with(Self.auth.merging(["ARAGORA_WS_MAX_PER_IP": "2"]) { $1 }) { gateway in
            let query = "?token=\(GatewayFixture.token)"
            let first = try await gateway.viewer(query)
            let second = try await gateway.viewer(query)
            await #expect(throws: WebSocketClientError.refused(status: 429)) { try await gateway.viewer(query) }
            await first.socket.close()
            await gateway.until { await gateway.hub.clients.count == 1 }
            let third = try await gateway.viewer(query)
            for viewer in [second, third] { try await viewer.read(to: "connection_info") }
        }
    }

    @Test("keeps a token that ends after the end of all clocks")
    func farExpiry() async throws {
        try await GatewayFixture.with(Self.auth) { gateway in
            for expires in [Int64.max, 9_223_372_036_854_775, 9_223_372_036] {
                let now = WallClock.nowMilliseconds() / 1000
                let viewer = try await gateway.viewer(
                    "?token=\(GatewayFixture.signedToken("admin", secondsFromNow: expires - now))")
                #expect(try await viewer.settle().types == ["connected", "connection_info"])
            }
        }
    }

    @Test("with the token of one debate sees that one; another is error 403 without an event")
    func scoped() async throws {
        try await GatewayFixture.with(Self.auth) { gateway in
            gateway.log.put(Chain(Self.debate, count: 2))
            gateway.log.put(Chain(HubTests.other, count: 2))
            let token = GatewayFixture.signedToken(Self.debate.text, secondsFromNow: 60)
            let viewer = try await gateway.viewer("?token=\(token)&debate_id=\(HubTests.other.text)")
            let error = try #require(try await viewer.read(to: "error").last)
            #expect(error["data"]?["code"]?.int == 403)
            try await viewer.subscribe(HubTests.other)
            try await viewer.subscribe(Self.debate)
            let messages = try await viewer.read(to: "replay_end")
            #expect(messages.filter { $0["debate_id"]?.string == HubTests.other.text }.types == ["error"])
            #expect(messages.seqs == [1, 2])
            #expect(gateway.metrics.value(.gatewayWatched) == 1)
        }
    }

    @Test(
        "from a foreign page is closed with 4003 before it hears anything",
        arguments: [
            ("http://evil.test", "", false), ("https://gateway.test", "", true),
            ("http://ok.test", "http://ok.test", true),
            ("null", "", false), ("http://gateway.test.evil.test", "", false), ("http://evil.test", "*", true),
            ("http://gateway.test:8080", "", false),
        ])
    func origins(origin: String, allowed: String, isWelcome: Bool) async throws {
        try await GatewayFixture.with(["ARAGORA_ALLOWED_ORIGINS": allowed]) { gateway in
            let viewer = try await gateway.viewer(headers: ["Origin": HeaderValue(origin) ?? ""])
            if isWelcome {
                #expect(try await viewer.next().type == "connected")
            } else {
                #expect(try await viewer.readAll().isEmpty)
                #expect(await viewer.closeCode == 4003)
            }
        }
    }

    @Test("that sends a binary message is closed with 1003, one over 64 KiB with 1009")
    func wrongMessages() async throws {
        try await GatewayFixture.with { gateway in
            let binary = try await gateway.viewer()
            try await binary.socket.send([1, 2, 3])
            _ = try await binary.readAll()
            #expect(await binary.closeCode == 1003)
            let large = try await gateway.viewer()
            let room = ClientMessage.maximumBytes - #"{"type":"ping","ts":""}"#.utf8.count
            try await large.say(#"{"type":"ping","ts":"\#(String(repeating: "x", count: room))"}"#)
            try await large.read(to: "pong")
            try await large.say(#"{"type":"ping","ts":"\#(String(repeating: "x", count: room + 1))"}"#)
            _ = try await large.readAll()
            #expect(await large.closeCode == 1009)
        }
    }

    @Test(
        "hears a warning for what can not be read, and stays",
        arguments: [
            ("{", "INVALID_JSON"), ("", "INVALID_JSON"), ("[]", "INVALID_MESSAGE"), ("{}", "INVALID_MESSAGE"),
            (#"{"type":7}"#, "INVALID_MESSAGE"), (#"{"type":"subscribe"}"#, "INVALID_MESSAGE"),
            (#"{"type":"subscribe","debate_id":"x"}"#, "INVALID_MESSAGE"), (#"{"type":"user_vote"}"#, "UNKNOWN_TYPE"),
            (#"{"type":"subscribe","debate_id":"\#(HubTests.debate.text)","replay_from_seq":-1}"#, "INVALID_MESSAGE"),
            (#"{"type":"subscribe","debate_id":"\#(HubTests.debate.text)","replay_from_seq":1e99}"#, "INVALID_MESSAGE"),
            (
                #"{"type":"subscribe","debate_id":"\#(HubTests.debate.text)","since_seq":9223372036854775807}"#,
                "INVALID_MESSAGE"
            ),
            (#"{"type":"subscribe","debate_id":"\#(HubTests.debate.text)","after_hash":"00"}"#, "INVALID_MESSAGE"),
        ])
    func warnings(text: String, code: String) async throws {
        try await GatewayFixture.with { gateway in
            let viewer = try await gateway.viewer()
            try await viewer.read(to: "connection_info")
            try await viewer.say(text)
            let first = try await viewer.next()
            // Numbers beyond 2^53 are refused as JSON already.
            #expect(first.warning == code || (code == "INVALID_MESSAGE" && first.warning == "INVALID_JSON"))
            #expect(try await viewer.settle().types == [])
        }
    }

    @Test("hears once that it watches nothing, with its first ping")
    func notSubscribed() async throws {
        try await GatewayFixture.with { gateway in
            let viewer = try await gateway.viewer()
            for _ in 0..<3 { try await viewer.say(#"{"type":"ping","ts":5}"#) }
            let messages = try await viewer.read(to: "pong") + viewer.read(to: "pong") + viewer.read(to: "pong")
            #expect(messages.warnings == ["NOT_SUBSCRIBED"])
            #expect(messages.first { $0.type == "pong" }?["data"]?["client_ts"]?.int == 5)
        }
    }

    @Test("that says too much hears RATE_LIMITED, and is closed with 4029 when it goes on")
    func rate() async throws {
        try await GatewayFixture.with { gateway in
            let viewer = try await gateway.viewer()
            for _ in 0..<400 { try? await viewer.say(#"{"type":"ping"}"#) }
            let messages = try await viewer.readAll()
            let pongs = messages.types.filter { $0 == "pong" }.count
            #expect(pongs >= Int(ClientSession.messageBurst))
            #expect(messages.warnings.filter { $0 == "RATE_LIMITED" }.count >= ClientSession.maxRefusals)
            #expect(await viewer.closeCode == 4029)
        }
    }

    @Test("is warned and closed with 1001 when the gateway stops")
    func shutdown() async throws {
        try await GatewayFixture.with { gateway in
            gateway.log.put(Chain(Self.debate, count: 1))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await viewer.read(to: "replay_end")
            async let drained: Void = gateway.server.drain(deadline: .seconds(5))
            let messages = try await viewer.readAll()
            await drained
            #expect(messages.warnings == ["SERVER_SHUTDOWN"])
            #expect(await viewer.closeCode == 1001)
            #expect(gateway.metrics.value(.websocketConnections) == 0)
        }
    }

    @Test("that does not read is closed with 4008 and the number of the last event it was sent; a resume completes it")
    func slow() async throws {
        try await GatewayFixture.with(["ARAGORA_WS_OUTBOX_BYTES": "524288"]) { gateway in
            var chain = Chain(Self.debate, count: 1)
            gateway.log.put(chain)
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            try await viewer.read(to: "replay_end")
            await viewer.socket.setReading(false)
            while gateway.metrics.value(.websocketSlowClosed) == 0, chain.entries.count < 2000 {
                let entry = chain.append(padding: 100_000)
                gateway.log.put(chain)
                await gateway.publish(entry, Self.debate)
            }
            #expect(gateway.metrics.value(.websocketSlowClosed) == 1)
            await viewer.socket.setReading(true)
            let seen = await viewer.readSeqs()
            #expect(await viewer.closeCode == 4008)
            let last = try #require(seen.last)
            #expect(await viewer.socket.closeReason == "too slow; last_seq=\(last)")
            #expect(seen == Array(2...last))
            let resumed = try await gateway.viewer("?debate_id=\(Self.debate.text)&since_seq=\(last)")
            #expect(await resumed.readSeqs(through: chain.tail.seq) == Array((last + 1)...chain.tail.seq))
        }
    }

    @Test("that reads slowly takes a long backlog whole, without being closed")
    func slowReplay() async throws {
        try await GatewayFixture.with(["ARAGORA_WS_OUTBOX_BYTES": "524288"]) { gateway in
            gateway.log.put(Chain(Self.debate, count: 300, padding: 60_000))
            let viewer = try await gateway.viewer("?debate_id=\(Self.debate.text)")
            await viewer.socket.setReading(false)
            await gateway.until { gateway.log.pages.count >= 1 }
            await viewer.socket.setReading(true)
            #expect(await viewer.readSeqs(through: 300) == Array(1...300))
            #expect(gateway.metrics.value(.websocketSlowClosed) == 0)
        }
    }
}

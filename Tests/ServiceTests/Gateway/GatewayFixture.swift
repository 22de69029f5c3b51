import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Sockets
import Testing

@testable import aragora_ws_gateway

/// A hub over scripted sources behind a real server on loopback, for one test.
struct GatewayFixture {
    static let token = "service-token-of-the-test"

    let loop: EventLoop
    let hub: Hub
    let log: ScriptedLog
    let live: ScriptedLive
    let links: ScriptedLinks
    let metrics: Metrics
    let revocations: RevocationSet
    let access: AccessControl
    let server: HTTPServer
    let address: SocketAddress

    static func with(_ environment: [String: String] = [:], _ body: (GatewayFixture) async throws -> Void) async throws
    {
        let values = ["ARAGORA_POSTGRES_DSN": "postgresql://nobody@127.0.0.1:1/none"].merging(environment) { $1 }
        var reader = SettingsReader(lookup: { values[$0] })
        let settings = GatewaySettings(reading: &reader, common: CommonSettings(reading: &reader, processors: 1))
        try #require(reader.problems.isEmpty, "\(reader.problems)")
        let loop = try EventLoop(name: "gateway-test")
        let (log, live, metrics) = (ScriptedLog(), ScriptedLive(), Metrics())
        let revocations = RevocationSet(isKnown: true)
        let links = ScriptedLinks()
        let hub = Hub(
            loop: loop, source: log, live: live, links: links, revocations: revocations, metrics: metrics,
            log: .disabled)
        let authenticator = Authenticator(
            access: settings.access, revocations: revocations, cache: KeyCache(), findKey: { _ in nil }, refresh: {})
        let places = AddressPlaces(
            maxOpen: settings.maxPerAddress, perMinute: settings.connectionsPerMinute)
        let upgrade = Upgrade(
            settings: settings, authenticator: authenticator, places: places, hub: hub, version: "test",
            log: .disabled)
        var configuration = HTTPServerConfiguration(address: try #require(SocketAddress(ip: "127.0.0.1", port: 0)))
        configuration.tick = .milliseconds(10)
        let server = HTTPServer(configuration: configuration, loops: [loop]) { _ in
            var router = Router(
                instant: [RequestIDMiddleware()], renderError: ErrorMappingMiddleware(log: .disabled).response)
            router.on(.get, "/ws") { try await upgrade.handle($0, $1) }
            return router
        }
        let fixture = GatewayFixture(
            loop: loop, hub: hub, log: log, live: live, links: links, metrics: metrics, revocations: revocations,
            access: settings.access, server: server,
            address: try await server.start())
        do {
            try await body(fixture)
        } catch {
            await server.drain(deadline: .milliseconds(50))
            loop.stop()
            throw error
        }
        await server.drain(deadline: .milliseconds(50))
        loop.stop()
    }

    func viewer(
        _ query: String = "", headers: Headers = [:], protocols: [String] = [], compression: Bool = false
    ) async throws -> Viewer {
        Viewer(
            socket: try await WebSocketClient.connect(
                loop: loop, to: [address], host: "gateway.test", target: "/ws" + query, headers: headers,
                protocols: protocols, compression: compression))
    }

    /// Puts a log that grows while it is read: after each page is read, and before it is sent, two more events are committed
    /// and published, ten at most.
    func growWhileRead(_ backlog: Chain, _ debate: DebateID) {
        log.put(backlog)
        let (limit, grown) = (backlog.entries.count + 10, Lock(backlog))
        log.beforePage { _ in
            let fresh = grown.withLock { chain in
                guard chain.entries.count < limit else { return [PublishedEntry]() }
                return [chain.append(), chain.append()]
            }
            log.put(grown.withLock { $0 })
            for entry in fresh { await publish(entry, debate) }
        }
    }

    /// What Redis would bring.
    func publish(_ entry: PublishedEntry, _ debate: DebateID) async { await hub.received(entry, debate) }

    func publishToken(_ text: String, after seq: Int64, epoch: Int64, _ debate: DebateID) async {
        let envelope = Array(#"{"type":"token_delta","debate_id":"\#(debate.text)","text":"\#(text)"}"#.utf8)
        await hub.received(PublishedEntry(live: .token, seq: seq, epoch: epoch, envelope: envelope), debate)
    }

    /// Returns when `condition` holds; the suite's time limit ends a wait for ever.
    func until(_ condition: () async -> Bool) async { while await !condition() { await Task.yield() } }

    static func signedToken(_ scope: String, secondsFromNow: Int64) -> String {
        SignedToken(scope: scope, expires: WallClock.nowMilliseconds() / 1000 + secondsFromNow).text(
            secret: Array(token.utf8))
    }
}

/// A client that reads messages as objects.
struct Viewer {
    struct Ended: Error {}

    let socket: WebSocketClient

    func say(_ text: String) async throws { try await socket.send(text) }

    func subscribe(_ debate: DebateID, _ more: String = "") async throws {
        try await say(#"{"type":"subscribe","debate_id":"\#(debate.text)"\#(more)}"#)
    }

    /// - Throws: ``Ended`` when the socket is closed.
    func next() async throws -> JSONValue {
        guard case .text(let text) = await socket.receive() else { throw Ended() }
        return try JSONParser.parse(Array(text.utf8))
    }

    /// The messages of the next one, which has to be an array.
    func nextArray() async throws -> [JSONValue] {
        let message = try await next()
        return try #require(message.array, "\(message)")
    }

    /// Arrays up to and including the first one with a message that matches.
    func readArrays(until matches: (JSONValue) -> Bool) async throws -> [[JSONValue]] {
        var arrays: [[JSONValue]] = []
        repeat { arrays.append(try await nextArray()) } while !(arrays.last?.contains(where: matches) ?? false)
        return arrays
    }

    /// Everything up to and including the first message that matches.
    @discardableResult
    func read(until matches: (JSONValue) -> Bool) async throws -> [JSONValue] {
        var messages: [JSONValue] = []
        while true {
            let message = try await next()
            messages.append(message)
            if matches(message) { return messages }
        }
    }

    @discardableResult
    func read(to type: String) async throws -> [JSONValue] { try await read { $0.type == type } }

    /// Everything up to the event with this number.
    @discardableResult
    func read(through seq: Int64) async throws -> [JSONValue] { try await read { $0.seq == seq } }

    /// Everything that was sent to this client before now, by asking for a pong.
    func settle() async throws -> [JSONValue] {
        try await say(#"{"type":"ping"}"#)
        return try await read(to: "pong").dropLast()
    }

    /// Everything until the socket is closed.
    func readAll() async throws -> [JSONValue] {
        var messages: [JSONValue] = []
        while case .text(let text) = await socket.receive() { messages.append(try JSONParser.parse(Array(text.utf8))) }
        return messages
    }

    /// The numbers of all events until the socket is closed or `last` was read; the rest of large messages is not looked at.
    func readSeqs(through last: Int64 = .max) async -> [Int64] {
        var seqs: [Int64] = []
        while seqs.last != last, case .text(let text) = await socket.receive() {
            if let found = text.prefix(200).firstMatch(of: /"type":"event".*"seq":(\d+)/), let seq = Int64(found.1) {
                seqs.append(seq)
            }
        }
        return seqs
    }

    var closeCode: UInt16 { get async { await socket.closeCode.rawValue } }
}

extension JSONValue {
    var type: String? { self["type"]?.string }
    /// The number of an event of the log; nil for other messages.
    /// Of an event: of a chain that a test made up, or a sealed one.
    var seq: Int64? { type == "event" || self["hash"] != nil ? self["seq"]?.int : nil }
    /// The events that a snapshot has.
    var told: [JSONValue] { type == "snapshot" ? self["data"]?["events"]?.array ?? [] : [] }
    var isComplete: Bool? { self["data"]?["complete"]?.bool }
    var warning: String? { type == "warning" ? self["data"]?["code"]?.string : nil }
}

extension [JSONValue] {
    var seqs: [Int64] { compactMap(\.seq) }
    var types: [String] { compactMap(\.type) }
    var warnings: [String] { compactMap(\.warning) }
}

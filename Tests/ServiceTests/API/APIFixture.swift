import Contracts
import Crypto
import Domain
import Glibc
import HTTP
import Messaging
import Platform
import PostgresClient
import RedisClient
import Sockets
import TestSupport
import Testing

@testable import ServiceKit
@testable import aragora_api

/// The API's real router behind a real server, over a Postgres schema of its own, for one test.
struct APIFixture {
    static let token = "service-token-of-the-test"

    let loop: EventLoop
    let routes: Routes
    let settings: APISettings
    let context: ServiceContext
    let backends: ServiceKit.Backends
    let address: SocketAddress
    let levels: ServiceLevels
    let log: LogSink
    /// Outside the API: what an operator would see and do.
    let pool: PGPool

    final class LogSink: Sendable {
        private let written = Lock([String]())
        func take(_ line: [UInt8]) { written.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        var lines: [String] { written.withLock { $0 } }
    }

    static func with(
        _ environment: [String: String] = [:], redisURL: String? = nil, dsn: ((String) -> String)? = nil,
        _ body: (APIFixture) async throws -> Void
    ) async throws {
        try await DebateDatabase.with { pool in
            let schema = try #require(pool.configuration.sessionParameters["search_path"])
            let url = try #require(TestSupport.Backends.postgresURL)
            let ownURL = url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema)"
            var values = [
                "ARAGORA_POSTGRES_DSN": dsn?(ownURL) ?? ownURL, "ARAGORA_EVENT_LOOPS": "1", "ARAGORA_DB_POOL_SIZE": "4",
                "ARAGORA_RATE_LIMIT": "0", "ARAGORA_REDIS_PREFIX": "test-\(schema)", "ARAGORA_EMBEDDED_RUNNER": "off",
                "ARAGORA_RECEIPT_SIGNING_KEY": String(repeating: "5a", count: 32), "ARAGORA_API_TOKEN": token,
            ]
            if let redisURL { values["ARAGORA_REDIS_URL"] = redisURL }
            values.merge(environment) { $1 }
            let fixed = values
            var reader = SettingsReader(lookup: { fixed[$0].flatMap { $0.isEmpty ? nil : $0 } })
            let common = CommonSettings(reading: &reader, processors: 1)
            let settings = APISettings(reading: &reader, common: common)
            try #require(reader.problems.isEmpty, "\(reader.problems)")
            try await serve(settings, common, pool, isWaiting: dsn == nil, body)
        }
    }

    private static func serve(
        _ settings: APISettings, _ common: CommonSettings, _ pool: PGPool, isWaiting: Bool,
        _ body: (APIFixture) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "api-test")
        let (sink, metrics, shutdown) = (LogSink(), Metrics(), ShutdownSignal())
        let context = ServiceContext(
            name: "api", log: Log(service: "api", level: .debug) { sink.take($0) }, metrics: metrics, loops: [loop],
            shutdown: shutdown, health: HealthRegistry(shutdown: shutdown, loop: loop, metrics: metrics),
            build: .current,
            startedAtMilliseconds: WallClock.nowMilliseconds(), common: common)
        context.health.markStarted()
        let backends = await ServiceKit.Backends.open(settings.stores, context)
        let requests = RequestMetrics(metrics: metrics, objective: settings.levels.requests)
        let shared = SharedAccess(
            backends, log: context.log, hasher: PasswordHasher(cost: PasswordHash.Cost(logN: 4, r: 1, p: 1)),
            durableBox: settings.access.durableBox)
        let routes = Assembly.routes(
            settings, context, backends, on: loop, LocalRateTable(), requests, shared, .compiledIn())
        var configuration = HTTPServerConfiguration(address: try #require(SocketAddress(ip: "127.0.0.1", port: 0)))
        configuration.tick = .milliseconds(10)
        configuration.renderError = { ErrorMappingMiddleware.renderUnseen($0) }
        let server = HTTPServer(configuration: configuration, loops: [loop]) { _ in routes.router() }
        let fixture = APIFixture(
            loop: loop, routes: routes, settings: settings, context: context, backends: backends,
            address: try await server.start(),
            levels: ServiceLevels(settings.levels, requests: requests, metrics: metrics), log: sink, pool: pool)
        var failure: (any Error)?
        do {
            // What the keyspace is, Postgres says on the first connection.
            if isWaiting { while try await fixture.get("/readyz").status != 200 {} }
            try await body(fixture)
        } catch {
            failure = error
        }
        shutdown.advance(to: .draining)
        await server.drain(deadline: .milliseconds(100))
        await backends.close()
        loop.stop()
        if let failure { throw failure }
    }

    /// One request on a connection of its own. The service token is sent unless `token` says otherwise.
    func send(
        _ method: String, _ target: String, _ body: String? = nil, token: String? = APIFixture.token,
        headers: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: api.test", "Connection: close"]
        if let token { lines.append("Authorization: Bearer \(token)") }
        for (name, value) in headers { lines.append("\(name): \(value)") }
        if let body { lines.append("Content-Length: \(body.utf8.count)") }
        let text = lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
        let answer = try Answer(try await Exchange.run(loop, address, Array(text.utf8)))
        AnswerCheck.check(answer, to: method, target, sourceLocation: sourceLocation)
        return answer
    }

    func get(
        _ target: String, token: String? = APIFixture.token, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        try await send("GET", target, token: token, sourceLocation: sourceLocation)
    }

    /// Creates a debate of demonstration agents and returns its id.
    func create(_ topic: String = "Should we use Postgres?", _ more: String = "") async throws -> String {
        let answer = try await send(
            "POST", "/api/v1/debates", #"{"topic":"\#(topic)","agents":["demo","demo"],"rounds":1\#(more)}"#)
        try #require(answer.status == 200, "\(answer.text)")
        return try #require(answer.json["debate_id"]?.string)
    }

    /// Runs the embedded runner until the debate has ended.
    func finish(_ debate: String) async throws {
        let shutdown = ShutdownSignal()
        let runner = try await Assembly.embeddedRunner(
            settings, context, on: try EventLoop(name: "runner"), keyspace: backends.keyspace)
        async let run: Void = runner.run(until: shutdown)
        while try await !["completed", "failed"].contains(get("/api/debates/\(debate)").json["status"]?.string ?? "") {}
        shutdown.request()
        try await run
    }

    static func signedToken(_ scope: String, secondsFromNow: Int64 = 60) -> String {
        SignedToken(scope: scope, expires: WallClock.nowMilliseconds() / 1000 + secondsFromNow).text(
            secret: Array(token.utf8))
    }
}

/// What came back.
struct Answer: Sendable {
    struct Malformed: Error { let text: String }

    let status: Int
    let head: String
    let text: String

    init(_ bytes: [UInt8]) throws {
        let all = String(decoding: bytes, as: UTF8.self)
        guard let end = all.firstRange(of: "\r\n\r\n"), let status = Int(all.dropFirst(9).prefix(3)) else {
            throw Malformed(text: all)
        }
        self.status = status
        head = String(all[..<end.lowerBound])
        text = String(all[end.upperBound...])
    }

    /// The body as JSON; null when it is not.
    var json: JSONValue { (try? JSONParser.parse(Array(text.utf8))) ?? .null }
    var code: String? { json["code"]?.string }
    var fields: [String] { (json["errors"]?.array ?? []).compactMap { $0["field"]?.string } }

    func header(_ name: String) -> String? {
        head.split(separator: "\r\n").dropFirst().first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }.map {
            String($0.dropFirst(name.count + 2))
        }
    }
}

/// Sends bytes and reads until the server hangs up.
actor Exchange: TransportDelegate {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let transport: Transport
    private var received: [UInt8] = []
    private var hasEnded = false
    private var waiter: CheckedContinuation<Void, Never>?

    private init(_ transport: Transport) {
        self.transport = transport
        loop = transport.loop
    }

    static func run(_ loop: EventLoop, _ address: SocketAddress, _ bytes: [UInt8]) async throws -> [UInt8] {
        let exchange = Exchange(try await Connector.connect(loop: loop, to: [address], timeout: .seconds(5)))
        return try await exchange.run(bytes)
    }

    private func run(_ bytes: [UInt8]) async throws -> [UInt8] {
        try transport.start(delegate: self)
        transport.send(bytes)
        if !hasEnded { await withCheckedContinuation { waiter = $0 } }
        transport.close()
        return received
    }

    nonisolated func transportReceived(_ bytes: ArraySlice<UInt8>) { assumeIsolated { $0.received += bytes } }
    nonisolated func transportReachedEnd() { assumeIsolated { $0.ended() } }
    nonisolated func transportDrained() {}
    nonisolated func transportClosed(_ error: SocketError?) { assumeIsolated { $0.ended() } }

    private func ended() {
        hasEnded = true
        waiter?.resume()
        waiter = nil
    }
}

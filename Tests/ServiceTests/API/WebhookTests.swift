import Contracts
import Crypto
import Domain
import Glibc
import HTTPClient
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing
import Webhooks

@testable import ServiceKit
@testable import aragora_api

/// From the end of a debate to the receiver: in one transaction with it, signed, again when it was not taken.
@Suite("Webhooks", .needsPostgres, .timeLimit(.minutes(1)))
struct WebhookTests {
    static let environment = [
        "ARAGORA_EMBEDDED_RUNNER": "on", "ARAGORA_ENCRYPTION_KEY": String(repeating: "1f", count: 32),
        "ARAGORA_WEBHOOK_ALLOWED_ADDRESSES": "127.0.0.1",
    ]

    /// An API, a receiver, and a courier that is told when to go.
    struct Desk {
        let api: APIFixture
        let receiver: ScriptedServer
        let box: SecretBox
        let store: WebhookStore
        let courier: WebhookCourier
        let client: HTTPClient

        func go() async -> Int { await courier.deliverDue(box, client) }

        /// Makes everything due that waits.
        func hurry() async throws {
            _ = try await api.pool.execute("UPDATE webhook_outbox SET next_attempt = now() - interval '1 second'")
        }

        func subscribe(_ events: String, _ more: String = "", url: String? = nil) async throws -> (
            id: String, secret: String
        ) {
            let answer = try await api.send(
                "POST", "/api/v1/webhooks",
                #"{"url":"\#(url ?? receiver.url + "/hook")","events":[\#(events)]\#(more)}"#)
            try #require(answer.status == 200, "\(answer.text)")
            return (
                try #require(answer.json["webhook_id"]?.string), try #require(answer.json["secret"]?.string)
            )
        }

        func letters() async throws -> [JSONValue] {
            try await api.get("/api/v1/webhooks/dead-letter").json["dead_letters"]?.array ?? []
        }
    }

    static func with(
        _ environment: [String: String] = [:],
        script: @escaping ScriptedServer.Script = { _ in [.response("204 No Content", body: "")] },
        _ body: (Desk) async throws -> Void
    ) async throws {
        try await APIFixture.with(Self.environment.merging(environment) { $1 }) { api in
            let box = try #require(api.context.common.sessions.secretBox)
            let store = WebhookStore(pool: api.backends.main.postgres)
            let courier = WebhookCourier(
                store: store, box: box, settings: api.settings.webhooks, loop: api.loop,
                log: api.context.log, metrics: api.context.metrics)
            let client = courier.makeClient()
            let receiverLoop = try EventLoop(name: "receiver")
            let desk = Desk(
                api: api, receiver: try ScriptedServer(loop: receiverLoop, script: script), box: box, store: store,
                courier: courier, client: client)
            do { try await body(desk) } catch {
                await client.close()
                throw error
            }
            await client.close()
            receiverLoop.stop()
        }
    }

    @Test("an end tells every endpoint that asked for it, once each, signed so that the receivers' library takes it")
    func delivered() async throws {
        try await Self.with { desk in
            let hook = try await desk.subscribe(
                #""debate.completed","receipt.created""#, #","headers":{"X-Team":"blue"}"#)
            _ = try await desk.subscribe(#""debate.failed""#)
            let debate = try await desk.api.create()
            try await desk.api.finish(debate)
            #expect(await desk.go() == 2)
            let requests = desk.receiver.requests
            #expect(requests.count == 2 && requests.allSatisfy { $0.head.hasPrefix("POST /hook HTTP/1.1") })
            #expect(Set(requests.compactMap { $0.header("webhook-id") }).count == 2)
            for request in requests {
                #expect(request.header("X-Team") == "blue" && request.header("content-type") == "application/json")
                let body = try JSONParser.parse(request.body)
                #expect(body["data"]?["debate_id"]?.string == debate)
                #expect(["debate.completed", "receipt.created"].contains(body["type"]?.string))
                #expect(try Self.libraryTakes(request, secret: hook.secret))
                #expect(
                    try !Self.libraryTakes(request, secret: "whsec_" + Base64.encode([UInt8](repeating: 1, count: 32))))
            }
            #expect(await desk.go() == 0)
            let sent = try await desk.api.get("/api/v1/webhooks/\(hook.id)/deliveries").json["deliveries"]?.array ?? []
            #expect(
                sent.count == 2 && sent.allSatisfy { $0["status"]?.string == "delivered" && $0["attempts"]?.int == 1 })
        }
    }

    /// What a receiver's program finds.
    static func libraryTakes(_ request: ScriptedServer.Request, secret: String) throws -> Bool {
        let name = "TEST_PYTHON"
        guard let python = unsafe getenv(name).map({ unsafe String(cString: $0) }) else {
            let timestamp = try #require(Int64(request.header("webhook-timestamp") ?? ""))
            let bytes = try #require(WebhookSignature.secret(secret, in: 1...64))
            return WebhookSignature.sign(
                request.body, message: request.header("webhook-id") ?? "", timestamp: timestamp, secret: bytes)
                == request.header("webhook-signature")
        }
        let arguments = ["webhook-id", "webhook-timestamp", "webhook-signature"].map { request.header($0) ?? "none" }
        let command =
            "'\(python)' Tests/Webhooks/verify.py '\(secret)' '\(arguments.joined(separator: "' '"))' 2>/dev/null"
        guard let pipe = unsafe popen(command, "w") else { throw Unstarted() }
        _ = unsafe request.body.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, pipe) }
        return unsafe pclose(pipe) == 0
    }

    struct Unstarted: Error {}

    @Test("a receiver that fails is asked again with the same id, later and later, until it is given up; then by hand")
    func again() async throws {
        let isUp = Lock(false)
        try await Self.with(script: { _ in
            [.response(isUp.withLock { $0 } ? "200 OK" : "503 Service Unavailable", body: "")]
        }) { desk in
            let hook = try await desk.subscribe(#""*""#)
            #expect(try await desk.api.send("POST", "/api/v1/webhooks/\(hook.id)/test").status == 200)
            for attempt in 1...DeliverySchedule.waits.count + 1 {
                #expect(await desk.go() == 1, "attempt \(attempt)")
                #expect(await desk.go() == 0, "it waits")
                try await desk.hurry()
            }
            #expect(await desk.go() == 0)
            #expect(Set(desk.receiver.requests.compactMap { $0.header("webhook-id") }).count == 1)
            let letter = try #require(try await desk.letters().first)
            #expect(letter["last_status"]?.int == 503 && letter["status"]?.string == "dead")
            let id = try #require(letter["id"]?.string)
            #expect(
                try await desk.api.get("/api/v1/webhooks/dead-letter/\(id)").json["payload"]?["type"]?.string
                    == "webhook.test")
            isUp.withLock { $0 = true }
            #expect(try await desk.api.send("POST", "/api/v1/webhooks/dead-letter/\(id)/retry").status == 200)
            #expect(await desk.go() == 1)
            #expect(try await desk.letters().isEmpty)
            #expect(try await desk.api.send("POST", "/api/v1/webhooks/dead-letter/\(id)/retry").status == 404)
            #expect(desk.api.context.metrics.render().contains(#"aragora_webhook_deliveries_total{delivery="dead"} 1"#))
        }
    }

    @Test(
        "who dies in the midst of an attempt leaves the message to the next, and an old attempt's outcome is not noted")
    func killed() async throws {
        try await Self.with { desk in
            let hook = try await desk.subscribe(#""*""#)
            _ = try await desk.api.send("POST", "/api/v1/webhooks/\(hook.id)/test")
            let claimed = try await desk.store.claim(limit: 10, lease: .seconds(60))
            #expect(claimed.count == 1 && claimed[0].delivery.attempts == 1)
            #expect(await desk.go() == 0)
            try await desk.hurry()
            #expect(await desk.go() == 1)
            try await desk.store.settle(claimed[0].delivery, status: 500, .dead(reason: "late"))
            #expect(try await desk.letters().isEmpty && desk.receiver.requests.count == 1)
        }
    }

    @Test("a redirect is not followed, and a receiver that is gone for good is switched off")
    func answers() async throws {
        try await Self.with(script: { request in
            request.head.contains("/gone")
                ? [.response("410 Gone", body: "")]
                : [.response("307 Temporary Redirect", headers: "Location: /elsewhere\r\n", body: "")]
        }) { desk in
            let moved = try await desk.subscribe(#""*""#)
            let gone = try await desk.subscribe(#""*""#, url: desk.receiver.url + "/gone")
            for hook in [moved, gone] { _ = try await desk.api.send("POST", "/api/v1/webhooks/\(hook.id)/test") }
            #expect(await desk.go() == 2)
            #expect(desk.receiver.requests.count == 2)
            #expect(!desk.receiver.requests.contains { $0.head.contains("/elsewhere") })
            #expect(try await desk.letters().map { $0["last_status"]?.int } == [410])
            #expect(try await desk.api.get("/api/v1/webhooks/\(gone.id)").json["active"]?.bool == false)
            #expect(try await desk.api.get("/api/v1/webhooks?active_only=True").json["total"]?.int == 1)
        }
    }

    @Test("a name that leads into our network is given up at once, and nothing is connected to")
    func inside() async throws {
        try await Self.with(["ARAGORA_WEBHOOK_ALLOWED_ADDRESSES": ""]) { desk in
            let hook = try await desk.subscribe(#""*""#, url: "http://localhost:\(desk.receiver.port)/")
            _ = try await desk.api.send("POST", "/api/v1/webhooks/\(hook.id)/test")
            #expect(await desk.go() == 1)
            #expect(desk.receiver.connectionCount == 0)
            #expect(try await desk.letters().first?["error"]?.string?.hasPrefix("addressRefused") == true)
        }
    }

    @Test(
        "what is no webhook is refused, with the field that is wrong",
        arguments: [
            (#"{}"#, ["url", "events"]), (#"{"url":"ftp://x.example","events":["*"]}"#, ["url"]),
            (#"{"url":"https://a:b@x.example/","events":["*"]}"#, ["url"]),
            (#"{"url":"https://x.example","events":[]}"#, ["events"]),
            (#"{"url":"https://x.example","events":["debate.exploded"]}"#, ["events"]),
            (#"{"url":"http://10.0.0.1/","events":["*"]}"#, ["url"]),
            (#"{"url":"http://[::1]:80/","events":["*"]}"#, ["url"]),
            (#"{"url":"https://x.example","events":["*"],"secret":"short"}"#, ["secret"]),
            (#"{"url":"https://x.example","events":["*"],"headers":{"Host":"y"}}"#, ["headers"]),
            (#"{"url":"https://x.example","events":["*"],"headers":{"A":"b\r\nc: d"}}"#, ["headers"]),
            (#"{"url":"https://x.example/\u0000","events":["*"]}"#, ["url"]),
        ] as [(String, [String])])
    func refused(_ body: String, _ fields: [String]) async throws {
        try await Self.with { desk in
            let answer = try await desk.api.send("POST", "/api/v1/webhooks", body)
            #expect(answer.status == 400 && answer.fields == fields, "\(answer.text)")
        }
    }

    @Test("a secret is shown once, is in no table as it is, and can be replaced; without a key there are no webhooks")
    func secrets() async throws {
        let own = "whsec_" + Base64.encode([UInt8](repeating: 7, count: 32))
        try await Self.with { desk in
            let hook = try await desk.subscribe(
                #""*""#, #","secret":"\#(own)","headers":{"X-Key":"needle-of-a-header"}"#)
            #expect(hook.secret == own)
            let shown = try await desk.api.get("/api/v1/webhooks/\(hook.id)")
            #expect(!shown.text.contains("whsec_") && !shown.text.contains("needle"))
            #expect(shown.json["header_names"]?.array?.first?.string == "X-Key")
            let rows = try await desk.api.pool.query(
                """
                SELECT position(\([UInt8](repeating: 7, count: 8)) IN secret) + position(\(Array("needle".utf8)) IN headers) AS at
                FROM webhook_endpoints
                """)
            #expect(try rows[0].int("at") == 0)
            let changed = try await desk.api.send(
                "PATCH", "/api/v1/webhooks/\(hook.id)", #"{"active":false,"events":["debate_end"]}"#)
            #expect(changed.json["active"]?.bool == false && changed.json["events"]?.array?.count == 1)
            #expect(try await desk.api.send("DELETE", "/api/v1/webhooks/\(hook.id)").status == 200)
            #expect(try await desk.api.get("/api/v1/webhooks/\(hook.id)").code == "webhook_not_found")
            #expect(try await desk.api.get("/api/v1/webhooks/events").json["events"]?.array?.count == 6)
        }
        try await APIFixture.with { api in
            let answer = try await api.send("POST", "/api/v1/webhooks", #"{"url":"https://x.example","events":["*"]}"#)
            #expect(answer.status == 409 && answer.code == "not_configured")
        }
    }

    @Test("waits grow from a second to a day, never beyond what a receiver asks for at most, and end")
    func schedule() {
        #expect(DeliverySchedule.wait(afterAttempts: 1, draw: 0) == .seconds(1))
        #expect(DeliverySchedule.wait(afterAttempts: 1, draw: 1) == .seconds(5))
        #expect(DeliverySchedule.wait(afterAttempts: 10, draw: 1) == .seconds(86_400))
        #expect(DeliverySchedule.wait(afterAttempts: 11, draw: 0) == nil)
        #expect(DeliverySchedule.wait(afterAttempts: 1, draw: 0, retryAfter: .seconds(90)) == .seconds(90))
        #expect(DeliverySchedule.wait(afterAttempts: 1, draw: 0, retryAfter: .seconds(900_000)) == .seconds(86_400))
    }

    @Test("signatures are those of the standard's own example")
    func example() throws {
        // From the specification's test vector: secret, id, time and body.
        let secret = try #require(WebhookSignature.secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", in: 24...64))
        #expect(
            WebhookSignature.sign(
                Array(#"{"test": 2432232314}"#.utf8), message: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330,
                secret: secret) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }
}

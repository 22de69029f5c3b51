import Contracts
import HTTPClient
import Platform
import Sockets
import TestSupport
import Testing

@testable import Telemetry

@Suite("Reported errors")
struct ErrorReportTests {
    private struct Desk {
        let loops: [EventLoop]
        let server: ScriptedServer
        let telemetry: Telemetry
        let metrics = Metrics()
        let inbox = ErrorInbox()
        let log: Log

        init(script: @escaping ScriptedServer.Script) throws {
            loops = try EventLoop.group(count: 1, name: "test")
            server = try ScriptedServer(loop: loops[0], script: script)
            let dsn = "http://public1@" + server.url.dropFirst("http://".count) + "/prefix/7"
            let settings = TelemetrySettings(
                traces: nil, errors: ErrorSettings(receiver: try #require(SentryDSN(dsn)), environment: "test"))
            log = Log(service: "api", level: .error, errors: inbox) { _ in }
            telemetry = try Telemetry(
                settings, origin: .init(service: "api", version: "1", instance: "here"), inbox: inbox, log: .disabled,
                metrics: metrics, lastWords: .seconds(60))
        }

        func count(_ outcome: ErrorReporter.Outcome) -> Double { metrics.value(.errorReports, [outcome.rawValue]) }

        func stop() async {
            await telemetry.finish()
            for loop in loops { loop.stop() }
        }
    }

    @Test("are envelopes of three lines, and the same error is one report")
    func envelope() async throws {
        let desk = try Desk { _ in [.response("200 OK", body: "{}")] }
        for _ in 0..<3 {
            desk.log.error(
                "debate broken", .debateID("dbt_1"), .errorCode("broken"),
                .reason("postgres://u:hunter2@db/x said password=hunter2"),
                .traceID("4bf92f3577b34da6a3ce929d0e0e4736"))
        }
        desk.log.error("something else")
        while desk.count(.sent) + desk.count(.throttled) < 4 { await Task.yield() }
        await desk.stop()
        #expect(desk.count(.sent) == 2 && desk.count(.throttled) == 2)
        let request = try #require(desk.server.requests.first)
        #expect(request.head.hasPrefix("POST /prefix/api/7/envelope/ HTTP/1.1\r\n"))
        #expect(request.header("x-sentry-auth")?.contains("sentry_key=public1") == true)
        #expect(request.header("content-type") == "application/x-sentry-envelope")
        let lines = request.body.split(separator: 0x0A, omittingEmptySubsequences: false)
        #expect(lines.count == 4 && lines[3].isEmpty)
        let (head, item, event) = (
            try JSONParser.parse(Array(lines[0])), try JSONParser.parse(Array(lines[1])),
            try JSONParser.parse(Array(lines[2]))
        )
        #expect(item["length"]?.int == Int64(lines[2].count) && item["type"]?.string == "event")
        #expect(head["event_id"]?.string == event["event_id"]?.string && head["event_id"]?.string?.utf8.count == 32)
        #expect(event["contexts"]?["trace"]?["trace_id"]?.string == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(event["tags"]?["error_code"]?.string == "broken" && event["extra"]?["debate_id"]?.string == "dbt_1")
        #expect(!String(decoding: request.body, as: UTF8.self).contains("hunter2"))
    }

    @Test(
        "stop while the receiver asks for it", .timeLimit(.minutes(2)),
        arguments: [
            ("429 Too Many Requests", "Retry-After: 60\r\n", true), ("429 Too Many Requests", "", true),
            ("200 OK", "X-Sentry-Rate-Limits: 60:error;default:organization\r\n", true),
            ("200 OK", "X-Sentry-Rate-Limits: 60::organization\r\n", true),
            ("200 OK", "X-Sentry-Rate-Limits: 60:transaction:key\r\n", false), ("503 Service Unavailable", "", false),
        ])
    func limits(status: String, headers: String, stops: Bool) async throws {
        let desk = try Desk { _ in [.response(status, headers: headers, body: "{}")] }
        desk.log.error("one")
        while desk.count(.sent) + desk.count(.failed) == 0 { await Task.yield() }
        desk.log.error("two")
        // Stopping waits for a second at most, which a busy machine may need for one request.
        if !stops { while desk.count(.sent) + desk.count(.failed) < 2 { await Task.yield() } }
        await desk.stop()
        #expect(desk.server.requests.count == (stops ? 1 : 2))
    }

    @Test("are thirty at once and one every two seconds after; one that came again says how often")
    func throttle() {
        let start = BootInstant(nanoseconds: 0)
        var throttle = ErrorThrottle(now: start)
        #expect((0..<40).count { throttle.admit("error \($0)", now: start) != nil } == 30)
        #expect(throttle.admit("late", now: start.advanced(by: .seconds(2))) == 0)
        #expect(throttle.admit("later", now: start.advanced(by: .seconds(2))) == nil)
        #expect(throttle.admit("error 1", now: start.advanced(by: .seconds(59))) == nil)
        #expect(throttle.admit("error 1", now: start.advanced(by: .seconds(60))) == 1)
    }

    @Test(
        "carry nothing that looks like a secret",
        arguments: [
            ("Authorization: Bearer abc.def", "abc.def"), ("password=hunter2", "hunter2"),
            ("password: hunter2 x", "hunter2"),
            (#"{"api_key": "k123"}"#, "k123"), ("postgres://me:hunter2@db:5432/x", "hunter2"),
            ("refused ara_0123456789abcdef", "ara_0123456789abcdef"),
            ("key sk-ant-api03-aaaabbbb", "sk-ant-api03-aaaabbbb"),
            ("?token=abc&x=1", "abc"), ("JWT eyJhbGciOiJIUzI1NiJ9.e30.x", "eyJhbGciOiJIUzI1NiJ9"),
        ])
    func scrubbed(text: String, secret: String) {
        let clean = Scrubber.clean(text)
        #expect(!clean.contains(secret) && clean.contains(Scrubber.mark))
    }

    @Test(
        "keep what is no secret",
        arguments: [
            "event 7 can not be replayed: the log ends at 6, its row says 7", "connect: no route to host db:5432",
            "the token was refused, and nothing else", "https://example.org/a?b=c", "",
        ])
    func kept(text: String) { #expect(Scrubber.clean(text) == text) }

    @Test("an address of a project is read, and nothing else is taken for one")
    func addresses() {
        #expect(SentryDSN("https://k@o1.ingest.sentry.io/42")?.url == "https://o1.ingest.sentry.io/api/42/envelope/")
        #expect(SentryDSN("http://k:old@host:9000/a/b/42")?.url == "http://host:9000/a/b/api/42/envelope/")
        for bad in [
            "", "https://o1.ingest.sentry.io/42", "https://k@host", "ftp://k@host/1", "https://k@ho st/1",
            "https://@host/1",
        ] {
            #expect(SentryDSN(bad) == nil, "\(bad)")
        }
    }

    @Test("a collector is named as OpenTelemetry names it; gRPC's port leads to the one for HTTP")
    func endpoints() {
        #expect(TraceSettings.endpoint("http://jaeger:4318") == "http://jaeger:4318/v1/traces")
        #expect(TraceSettings.endpoint("http://jaeger:4317/") == "http://jaeger:4318/v1/traces")
        #expect(TraceSettings.endpoint("https://x/otlp") == "https://x/otlp/v1/traces")
        for bad in ["jaeger:4318", "http://", "http://a b", ""] {
            #expect(TraceSettings.endpoint(bad) == nil, "\(bad)")
        }
    }
}

import Compression
import Glibc
import HTTPClient
import Platform
import Sockets
import TestSupport
import Testing

@testable import Telemetry

@Suite("Exported spans")
struct ExportTests {
    /// Spans with everything that a span may have, drawn at random.
    private static func spans(_ count: Int, _ random: inout SystemRandomNumberGenerator) -> [Span] {
        let texts = ["", "plain", "é漢😀", String(repeating: "x", count: 3000), "a\u{0}b\n"]
        return (0..<count).map { place in
            let context = TraceContext.random(isSampled: Bool.random(using: &random))
            var span = Span(
                texts.randomElement(using: &random) ?? "", Span.Kind(rawValue: .random(in: 1...5)) ?? .internal,
                context: context, parent: place % 3 == 0 ? 0 : .random(in: 1 ... .max),
                start: .random(in: 0...4_000_000_000_000_000_000))
            for number in 0..<Int.random(in: 0...40) {
                switch number % 3 {
                case 0: span.add(.init("text.\(number)", texts.randomElement(using: &random) ?? ""))
                case 1: span.add(.init("number.\(number)", Int64.random(in: .min ... .max)))
                default: span.add(.init("flag.\(number)", Bool.random(using: &random)))
                }
            }
            if place % 4 == 0 { span.links = [TraceContext.random(isSampled: true), .random(isSampled: false)] }
            return span
        }
    }

    @Test("OpenTelemetry's own decoder reads what was written", .enabled(if: getenv("TEST_PYTHON") != nil))
    func decoded() throws {
        let python = try #require(getenv("TEST_PYTHON").map { String(cString: $0) })
        var random = SystemRandomNumberGenerator()
        let tracer = Tracer(
            sampler: try #require(TraceSampler("always_on", share: 1)), capacity: 10_000)
        for (place, span) in Self.spans(2000, &random).enumerated() {
            tracer.end(span, failure: place % 5 == 0 ? "timeout" : nil)
        }
        let spans = tracer.take(10_000).spans
        let body = TraceRequest.encode(
            spans, resource: [("service.name", "test"), ("empty", "")], version: "1.2.3")
        let pipe = try #require(popen("'\(python)' Tests/Telemetry/decode_spans.py", "w"))
        // What was meant, a line a span; then the bytes.
        let lines = spans.map(Self.line).joined(separator: "\n") + "\n\n"
        for part in [Array("\(spans.count)\n".utf8), Array(lines.utf8), try Gzip.compress(body)] {
            _ = part.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, pipe) }
        }
        #expect(pclose(pipe) == 0)
    }

    private static func line(_ span: Span) -> String {
        func hex(_ text: String) -> String { text.utf8.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined() }
        let attributes = span.attributes.map { attribute in
            switch attribute.value {
            case .text(let text): "\(attribute.key)=s\(hex(String(text.prefix(1024))))"
            case .number(let number): "\(attribute.key)=i\(number)"
            case .flag(let flag): "\(attribute.key)=b\(flag ? 1 : 0)"
            }
        }
        let parent = span.parent == 0 ? "-" : span.context.after(span.parent).traceparent.split(separator: "-")[2]
        return [
            span.context.traceparent, String(parent), "n" + hex(String(span.name.prefix(1024))),
            "\(span.kind.rawValue)",
            "\(span.start)", "\(span.end)", span.failure ?? "-",
            span.links.map(\.traceparent).joined(separator: ";") + "|",
        ].joined(separator: " ") + " " + attributes.joined(separator: ",")
    }

    /// An exporter and a scripted collector.
    private struct Desk {
        let loops: [EventLoop]
        let server: ScriptedServer
        let tracer: Tracer
        let telemetry: Telemetry
        let metrics = Metrics()

        init(
            queue: Int = 100, batch: Int = 10, lastWords: Duration = .seconds(60),
            script: @escaping ScriptedServer.Script
        ) throws {
            loops = try EventLoop.group(count: 1, name: "test")
            server = try ScriptedServer(loop: loops[0], script: script)
            let settings = TelemetrySettings(
                traces: TraceSettings(
                    endpoint: server.url + "/v1/traces", headers: [("x-key", "k")], timeout: .seconds(30),
                    sampler: try #require(TraceSampler("always_on", share: 1)), interval: .milliseconds(20),
                    queue: queue,
                    batch: batch), errors: nil)
            telemetry = try Telemetry(
                settings, origin: .init(service: "test", version: "1", instance: "here"), inbox: nil, log: .disabled,
                metrics: metrics, lastWords: lastWords)
            tracer = telemetry.tracer
        }

        func make(_ count: Int) {
            for _ in 0..<count { tracer.end(tracer.begin("span", .internal, after: tracer.enter(nil).context)) }
        }

        func count(_ outcome: SpanExporter.Outcome) -> Double { metrics.value(.traceSpans, [outcome.rawValue]) }

        func stop() async {
            await telemetry.finish()
            for loop in loops { loop.stop() }
        }
    }

    @Test("go in batches, compressed, with the header fields that were asked for, and the last at the end")
    func batches() async throws {
        let desk = try Desk { _ in [.response("200 OK", body: "")] }
        desk.make(25)
        await desk.stop()
        #expect(desk.count(.exported) == 25)
        let request = try #require(desk.server.requests.first)
        #expect(request.head.hasPrefix("POST /v1/traces HTTP/1.1\r\n") && request.header("x-key") == "k")
        #expect(request.header("content-type") == "application/x-protobuf")
        #expect(request.header("content-encoding") == "gzip" && request.body.prefix(2) == [0x1F, 0x8B])
        #expect(desk.server.requests.count >= 3)
    }

    @Test("are sent again after a 503, and not after a 500")
    func again() async throws {
        let desk = try Desk(batch: 5) { request in
            switch request.index {
            case 0: [.response("503 Service Unavailable", headers: "Retry-After: 0\r\n", body: "")]
            case 1: [.response("200 OK", body: "")]
            default: [.response("500 Internal Server Error", body: "")]
            }
        }
        desk.make(5)
        for await event in desk.server.events where event.hasPrefix("request") {
            if desk.server.requests.count == 2 { break }
        }
        #expect(desk.server.requests[0].body == desk.server.requests[1].body)
        while desk.count(.exported) == 0 { await Task.yield() }
        desk.make(5)
        while desk.count(.rejected) == 0 { await Task.yield() }
        await desk.stop()
        #expect(desk.count(.exported) == 5 && desk.count(.rejected) == 5 && desk.server.requests.count == 3)
    }

    @Test("are dropped and counted beyond the queue while a collector stalls, and the end does not wait for it")
    func stalled() async throws {
        let desk = try Desk(queue: 20, batch: 10, lastWords: .milliseconds(200)) { _ in [.wait] }
        desk.make(10)
        for await event in desk.server.events where event.hasPrefix("request") { break }
        desk.make(30)
        // Returns although nothing is ever answered.
        await desk.stop()
        #expect(desk.count(.queueFull) == 10 && desk.count(.failed) >= 20 && desk.count(.exported) == 0)
    }
}

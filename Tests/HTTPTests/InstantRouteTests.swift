import HTTP
import Platform
import Sockets
import Testing

@Suite("Routes that are answered at once", .timeLimit(.minutes(1)))
struct InstantRouteTests {
    /// Names itself in the answer, and ends requests for `/early-NAME`.
    private struct Tag: InstantMiddleware {
        let name: String

        func before(_ request: Request, _ context: inout RequestContext) -> Response? {
            context.traceID += name
            return request.path == "/early-\(name)" ? .text("\(context.traceID) early") : nil
        }

        func after(_ response: inout Response, _ request: Request, _ context: RequestContext) {
            response.headers.add("X-Order", HeaderValue("\(name) \(context.template) \(response.status.code)") ?? "")
        }
    }

    private struct Refusing: Middleware {
        func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
            throw HTTPError.malformed("refused")
        }
    }

    private static func make() -> Router {
        var router = Router(
            instant: [Tag(name: "a"), Tag(name: "b")], middleware: [Refusing()],
            renderError: { error, _, context in .text("\(context.traceID) \(error)", status: .badRequest) })
        router.instantly(.get, "/now") { _, context in .text("\(context.traceID) now") }
        router.instantly(.get, "/now/{part}") { _, context in .text(context.parameter("part")) }
        router.instantly(.post, "/echo", bodyBytes: 4) { request, _ in .bytes(request.body, type: "text/plain") }
        router.instantly(.get, "/fails") { _, _ in throw CancellationError() }
        router.on(.get, "/waits") { _, _ in .text("never") }
        return router
    }

    private static func with(_ body: (EventLoop, SocketAddress) async throws -> Void) async throws {
        var configuration = HTTPServerConfiguration(address: try #require(SocketAddress(ip: "127.0.0.1", port: 0)))
        configuration.tick = .milliseconds(10)
        let loops = try EventLoop.group(count: 1)
        let server = HTTPServer(configuration: configuration, loops: loops) { _ in make() }
        try await body(loops[0], try await server.start())
        await server.drain(deadline: .milliseconds(50))
        loops[0].stop()
    }

    @Test(
        "have the instant middleware around them, outermost first, and no other",
        arguments: [
            ("GET /now", 200, "ab now", "X-Order: b /now 200\r\nX-Order: a /now 200\r\n"),
            ("HEAD /now", 200, "", "X-Order: b /now 200\r\nX-Order: a /now 200\r\n"),
            ("GET /now/%41", 200, "A", "X-Order: b /now/{part} 200\r\n"),
            ("GET /fails", 400, "ab CancellationError()", "X-Order: b /fails 400\r\nX-Order: a /fails 400\r\n"),
            ("GET /waits", 400, nil, "X-Order: b /waits 400\r\nX-Order: a /waits 400\r\n"),
            ("PUT /now", 400, nil, "X-Order: b /now 400\r\nX-Order: a /now 400\r\n"),
            ("GET /early-a", 200, "a early", "Content-Type: text/plain; charset=utf-8\r\n\r\n"),
            ("GET /early-b", 200, "ab early", "X-Order: a unmatched 200\r\n"),
        ] as [(String, Int, String?, String)])
    func order(line: String, status: Int, body: String?, fields: String) async throws {
        try await Self.with { loop, address in
            let answer = try await RawClient.exchange(
                loop, address, "\(line) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(HTTPServerTests.status(answer) == status)
            if let body { #expect(HTTPServerTests.body(answer) == body) }
            #expect(answer.contains(fields), "\(answer)")
        }
    }

    @Test("keep their place among requests that came in one piece, and take bodies as others do")
    func pipelined() async throws {
        try await Self.with { loop, address in
            let answers = try await RawClient.exchange(
                loop, address,
                """
                GET /now/1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo\
                GET /waits HTTP/1.1\r\nHost: a\r\n\r\nGET /now/4 HTTP/1.1\r\nHost: a\r\n\r\n\
                POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nlong!
                """)
            let bodies = answers.split(separator: "HTTP/1.1 ").map { HTTPServerTests.body(String($0)) }
            #expect(bodies.count == 5 && bodies[0] == "1" && bodies[1] == "two" && bodies[3] == "4", "\(answers)")
            #expect(answers.contains("HTTP/1.1 413 "))
        }
    }

    @Test("a block of fields stands once, gives way to what a response says itself, and comes apart when it is changed")
    func blocks() {
        let block = FieldBlock(("X-One", "1"), ("X-Two", "2"))
        var headers: Headers = ["X-Own": "0"]
        headers.fill(block)
        #expect(headers.fields.map(\.name.text) == ["X-One", "X-Two", "X-Own"] && headers["x-two"] == "2")
        headers.fill(block)
        #expect(headers.fields.count == 3)
        headers["X-Two"] = "3"
        #expect(headers.fields.count == 3 && headers["X-Two"] == "3" && headers["X-One"] == "1")
        headers["X-One"] = nil
        #expect(headers.fields.map(\.name.text) == ["X-Own", "X-Two"])
        var other: Headers = ["x-one": "mine"]
        other.fill(block)
        #expect(other["X-One"] == "mine" && other["X-Two"] == "2" && other.fields.count == 2)
    }
}

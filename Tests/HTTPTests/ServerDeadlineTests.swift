import HTTP
import Platform
import Sockets
import Testing

@Suite("The HTTP server's bounds", .timeLimit(.minutes(1)))
struct ServerDeadlineTests {
    @Test(
        "on a head and a body that do not come are 408",
        arguments: [
            "GET /ok HTT", "G", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
        ])
    func slowRequest(text: String) async throws {
        try await ServerFixture.with(
            configure: {
                $0.headDeadline = .milliseconds(50)
                $0.bodyDeadline = .milliseconds(50)
            }, routes: HTTPServerTests.routes
        ) { fixture in
            let response = try await fixture.exchange(text)
            #expect(HTTPServerTests.status(response) == 408)
        }
    }

    @Test("on a head are not moved by bytes that trickle in")
    func slowloris() async throws {
        try await ServerFixture.with(
            configure: { $0.headDeadline = .milliseconds(100) }, routes: HTTPServerTests.routes
        ) { fixture in
            let client = try await fixture.connect()
            let loop = fixture.loop
            let trickle = Task {
                await client.send("GET /ok HTTP/1.1\r\nHost: a\r\n")
                while !Task.isCancelled, await !client.hasEnded {
                    await client.send("X: y\r\n")
                    try? await loop.sleep(for: .milliseconds(20))
                }
            }
            #expect(HTTPServerTests.status(await client.readAll()) == 408)
            trickle.cancel()
            await trickle.value
        }
    }

    // Longer than a busy machine needs between connecting and sending.
    @Test("on idleness close without a word")
    func idle() async throws {
        try await ServerFixture.with(configure: { $0.idleTimeout = .seconds(2) }, routes: HTTPServerTests.routes) {
            fixture in
            #expect(try await fixture.exchange("") == "")
            let client = try await fixture.connect()
            await client.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(HTTPServerTests.body(await client.readAll()) == #"{"status":"ok"}"#)
        }
    }

    @Test("on a handler are 503, and the handler is cancelled")
    func handlerDeadline() async throws {
        let cancelled = Signal()
        try await ServerFixture.with(
            configure: { $0.handlerDeadline = .milliseconds(50) },
            routes: { router in
                router.on(.get, "/never") { _, context in
                    do {
                        try await context.loop.sleep(for: .seconds(60))
                    } catch {
                        cancelled.send()
                    }
                    return .text("too late")
                }
            }
        ) { fixture in
            let response = try await fixture.exchange("GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(HTTPServerTests.status(response) == 503)
            #expect(!response.contains("too late"))
            await cancelled.wait()
        }
    }

    @Test("leave a slow reader the time to read a large answer, and cut off one that stops", arguments: [true, false])
    func slowReader(reads: Bool) async throws {
        let size = 16 * 1024 * 1024
        try await ServerFixture.with(
            configure: {
                $0.lingerTimeout = .milliseconds(20)
                $0.stallTimeout = .milliseconds(reads ? 2000 : 100)
            },
            routes: { router in
                router.on(.get, "/large") { _, _ in .bytes([UInt8](repeating: 120, count: size), type: "text/plain") }
            }
        ) { fixture in
            let client = try await fixture.connect()
            await client.setReading(false)
            await client.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            if reads {
                // Longer than the linger, shorter than the stall.
                try await fixture.loop.sleep(for: .milliseconds(200))
                await client.setReading(true)
                #expect(HTTPServerTests.body(await client.readAll()).utf8.count == size)
            } else {
                while await fixture.server.openConnections() > 0 {
                    try await fixture.loop.sleep(for: .milliseconds(10))
                }
                await client.setReading(true)
                #expect(await client.readAll().utf8.count < size)
            }
            await client.close()
        }
    }

    @Test("a handler is cancelled when its client is gone")
    func clientGone() async throws {
        let (started, cancelled) = (Signal(), Signal())
        try await ServerFixture.with(routes: { router in
            router.on(.get, "/ok") { _, _ in .text("unread") }
            router.on(.get, "/never") { _, context in
                started.send()
                do {
                    try await context.loop.sleep(for: .seconds(60))
                } catch {
                    cancelled.send()
                }
                return .text("nobody")
            }
        }) { fixture in
            let client = try await fixture.connect()
            await client.setReading(false)
            await client.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n")
            await started.wait()
            // Closing with an unread answer is a reset. A mere end of stream would be a half-close, and answered.
            await client.close()
            await cancelled.wait()
        }
    }

    @Test("on connections make more of them wait, not fail")
    func maxConnections() async throws {
        try await ServerFixture.with(configure: { $0.maxConnections = 2 }, routes: HTTPServerTests.routes) { fixture in
            let (one, two, three) = (
                try await fixture.connect(), try await fixture.connect(), try await fixture.connect()
            )
            let request = "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"
            for client in [one, two] {
                await client.send(request)
                #expect(HTTPServerTests.status(await client.read(to: "}")) == 200)
            }
            await three.send(request)
            #expect(await fixture.server.openConnections() == 2)
            await one.close()
            #expect(HTTPServerTests.status(await three.read(to: "}")) == 200)
            await two.close()
            await three.close()
        }
    }

    @Test("of a drain: what is in flight is answered with close, what is idle is closed, nobody new gets in")
    func drain() async throws {
        let (started, release) = (Signal(), Signal())
        try await ServerFixture.with(routes: { router in
            HTTPServerTests.routes(&router)
            router.on(.get, "/slow") { _, _ in
                started.send()
                await release.wait()
                return .text("done")
            }
        }) { fixture in
            let (busy, idle) = (try await fixture.connect(), try await fixture.connect())
            await idle.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = await idle.read(to: "}")
            await busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            await started.wait()
            let server = fixture.server
            let draining = Task { await server.drain(deadline: .seconds(30)) }
            #expect(await idle.readAll() == "")
            await idle.close()
            await #expect(throws: (any Error).self) { try await fixture.connect() }
            release.send()
            let answer = await busy.readAll()
            #expect(HTTPServerTests.body(answer) == "done")
            #expect(answer.contains("Connection: close\r\n"))
            await busy.close()
            await draining.value
        }
    }

    @Test("of a drain end it, whatever still runs")
    func drainDeadline() async throws {
        let started = Signal()
        try await ServerFixture.with(routes: { router in
            router.on(.get, "/never") { _, context in
                started.send()
                try await context.loop.sleep(for: .seconds(60))
                return .text("never")
            }
        }) { fixture in
            let client = try await fixture.connect()
            await client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
            await started.wait()
            await fixture.server.drain(deadline: .milliseconds(50))
            #expect(await client.readAll() == "")
        }
    }
}

@Suite("Middleware", .timeLimit(.minutes(1)))
struct MiddlewareTests {
    struct Tag: Middleware {
        let name: String
        func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
            var inner = context
            inner.traceID += name
            do {
                var response = try await next(request, inner)
                response.headers.add("X-Order", HeaderValue("\(name) \(context.template)") ?? "")
                return response
            } catch let error as HTTPError {
                return .text("\(name) caught \(error.status.code)", status: error.status)
            }
        }
    }

    @Test(
        "wraps every route, found or not, outermost first",
        arguments: [
            ("GET /a", "ab", "X-Order: b /a\r\nX-Order: a /a\r\n"),
            ("GET /b", "b caught 404", "X-Order: a unmatched\r\n"),
            ("PUT /a", "b caught 405", "X-Order: a /a\r\n"),
        ])
    func order(line: String, body: String, fields: String) async throws {
        var configuration = HTTPServerConfiguration(address: try #require(SocketAddress(ip: "127.0.0.1", port: 0)))
        configuration.tick = .milliseconds(10)
        let loops = try EventLoop.group(count: 1)
        let server = HTTPServer(configuration: configuration, loops: loops) { _ in
            var router = Router(middleware: [Tag(name: "a"), Tag(name: "b")])
            router.on(.get, "/a") { _, context in .text(context.traceID) }
            return router
        }
        let address = try await server.start()
        let answer = try await RawClient.exchange(
            loops[0], address, "\(line) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(HTTPServerTests.body(answer) == body)
        #expect(answer.contains(fields))
        await server.drain(deadline: .milliseconds(50))
        loops[0].stop()
    }
}

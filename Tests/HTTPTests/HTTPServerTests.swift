import HTTP
import Platform
import Sockets
import Testing

@Suite("The HTTP server", .timeLimit(.minutes(1)))
struct HTTPServerTests {
    static let routes: @Sendable (inout Router) -> Void = { router in
        router.on(.get, "/ok") { _, _ in .json(Array(#"{"status":"ok"}"#.utf8)) }
        router.on(.post, "/echo") { request, _ in .bytes(request.body, type: "text/plain") }
        router.on(.post, "/small", bodyBytes: 5) { request, _ in .bytes(request.body, type: "text/plain") }
        router.on(.get, "/later") { _, context in
            try await context.loop.sleep(for: .milliseconds(20))
            return .text("later")
        }
        router.on(.get, "/nothing") { _, _ in Response(.noContent) }
        router.on(.get, "/things/{id}") { request, context in
            .text("\(context.parameter("id")) \(request.query["q"] ?? "-") \(context.template)")
        }
        router.on(.get, "/fails") { _, _ in throw CancellationError() }
        router.on(.get, "/chunks") { _, _ in
            .stream(type: "text/plain") { writer in
                for piece in ["one,", "", "two,", "three"] { try await writer.write(Array(piece.utf8)) }
            }
        }
        router.on(.get, "/known") { _, _ in
            .stream(type: "text/plain", length: 6) { writer in
                try await writer.write(Array("abc".utf8))
                try await writer.write(Array("def".utf8))
            }
        }
    }

    static func body(_ response: String) -> String {
        response.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false).last.map(String.init)
            ?? ""
    }

    static func status(_ response: String) -> Int {
        response.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    @Test("answers, with a date and a length, and keeps the connection")
    func answers() async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let client = try await fixture.connect()
            for _ in 0..<3 {
                await client.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n")
                let response = await client.read(to: "}")
                #expect(response.hasPrefix("HTTP/1.1 200 OK\r\nDate: "))
                #expect(response.contains("\r\nContent-Length: 15\r\n"))
                #expect(response.contains("\r\nContent-Type: application/json\r\n"))
                #expect(!response.contains("Connection"))
            }
            await client.close()
        }
    }

    @Test(
        "closes when asked to",
        arguments: [
            "GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /ok HTTP/1.0\r\n\r\n",
            "GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        ])
    func closes(request: String) async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let response = try await fixture.exchange(request)
            #expect(Self.status(response) == 200)
            #expect(response.contains("\r\nConnection: close\r\n"))
        }
    }

    @Test("keeps an HTTP/1.0 connection that asks for it")
    func keepAliveOld() async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let client = try await fixture.connect()
            await client.send("GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(await client.read(to: "}").contains("\r\nConnection: keep-alive\r\n"))
            await client.send("GET /ok HTTP/1.0\r\n\r\n")
            #expect(Self.status(await client.readAll()) == 200)
        }
    }

    @Test("answers every request of the battery over a socket", arguments: HeadParserTests.battery)
    func battery(text: String, status: Int) async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let client = try await fixture.connect()
            await client.send(text)
            await client.halfClose()
            let answer = await client.readAll()
            if status == 200 {
                // Well formed: answered by the router if its body is there too.
                #expect([0, 100, 200, 404, 405].contains(Self.status(answer)))
            } else {
                #expect(Self.status(answer) == status)
                #expect(answer.contains("Connection: close\r\n"))
            }
        }
    }

    @Test("answers pipelined requests in order, slow ones too")
    func pipelining() async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let client = try await fixture.connect()
            let paths = (0..<300).map { $0 % 50 == 7 ? "/later" : "/things/\($0)" }
            await client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            await client.send("GET /things/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let bodies = await client.readAll().split(separator: "HTTP/1.1 200 OK").map { Self.body(String($0)) }
            let expected = paths.enumerated().map { $1 == "/later" ? "later" : "\($0) - /things/{id}" }
            #expect(bodies == expected + ["last - /things/{id}"])
        }
    }

    @Test("holds back pipelined requests while one is answered, and loses none")
    func boundedPipeline() async throws {
        try await ServerFixture.with(configure: { $0.pipelineBytes = 100 }, routes: Self.routes) { fixture in
            let client = try await fixture.connect()
            await client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
            for index in 0..<100 { await client.send("GET /things/\(index) HTTP/1.1\r\nHost: a\r\n\r\n") }
            await client.send("GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(await client.readAll().split(separator: "HTTP/1.1 200").count == 102)
        }
    }

    @Test(
        "reads bodies of announced length and in chunks, whole or byte by byte",
        arguments: [
            "Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ])
    func bodies(rest: String) async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let request = "POST /echo HTTP/1.1\r\nHost: a\r\n\(rest)"
            let client = try await fixture.connect()
            await client.send(request + request)
            #expect(
                await client.read {
                    String(decoding: $0, as: UTF8.self).split(separator: "hello").count == 2 && $0.last == 111
                }
                .contains("hello"))
            for byte in request.utf8 { await client.send([byte]) }
            #expect(Self.body(await client.read(to: "hello")) == "hello")
            await client.close()
        }
    }

    @Test(
        "refuses a body one byte over the route's limit",
        arguments: [
            ("Content-Length: 5\r\n\r\nhello", 200), ("Content-Length: 6\r\n\r\nhello!", 413),
            ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200),
            ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", 413),
            ("Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX", 400),
        ])
    func bodyLimit(rest: String, status: Int) async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let response = try await fixture.exchange("POST /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(rest)")
            #expect(Self.status(response) == status)
        }
    }

    @Test("refuses a body over the default limit")
    func defaultBodyLimit() async throws {
        try await ServerFixture.with(configure: { $0.limits.bodyBytes = 10 }, routes: Self.routes) { fixture in
            let fine = try await fixture.exchange(
                "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789")
            #expect(Self.status(fine) == 200)
            let refused = try await fixture.exchange("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
            #expect(Self.status(refused) == 413)
        }
    }

    @Test("asks for the body of a client that waits, and only of one it will take")
    func expectContinue() async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let client = try await fixture.connect()
            await client.send("POST /small HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            #expect(await client.read(to: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            await client.send("hello")
            #expect(Self.body(await client.read(to: "hello")) == "hello")
            await client.send("POST /small HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n")
            #expect(Self.status(await client.readAll()) == 413)
        }
    }

    @Test("answers HEAD with the fields of GET and no body")
    func head() async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let client = try await fixture.connect()
            for (path, field) in [
                ("/ok", "Content-Length: 15"), ("/chunks", "Transfer-Encoding: chunked"),
                ("/known", "Content-Length: 6"),
            ] {
                await client.send("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                let response = await client.read(to: "\r\n\r\n")
                #expect(Self.status(response) == 200)
                #expect(response.contains(field))
                #expect(Self.body(response) == "")
            }
            await client.close()
        }
    }

    @Test("sends no length with 204")
    func noContent() async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let response = try await fixture.exchange("GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(Self.status(response) == 204)
            #expect(!response.contains("Content-Length"))
        }
    }

    @Test(
        "streams bodies in chunks, of known length, and to HTTP/1.0 until it closes",
        arguments: [
            ("/chunks", "1.1", "4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\n"), ("/known", "1.1", "abcdef"),
            ("/chunks", "1.0", "one,two,three"),
        ])
    func streams(path: String, version: String, body: String) async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let response = try await fixture.exchange(
                "GET \(path) HTTP/\(version)\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(Self.body(response) == body)
        }
    }

    @Test("makes a streaming handler wait for a slow client")
    func backpressure() async throws {
        let piece = [UInt8](repeating: 120, count: 64 * 1024)
        let count = 400
        let sent = Lock(0)
        let stalled = Signal()
        try await ServerFixture.with(routes: { router in
            router.on(.get, "/big") { _, context in
                .stream(type: "text/plain", length: piece.count * count) { writer in
                    let timer = context.loop.schedule(after: .milliseconds(200)) { stalled.send() }
                    for _ in 0..<count {
                        try await writer.write(piece)
                        sent.withLock { $0 += 1 }
                    }
                    context.loop.cancel(timer)
                }
            }
        }) { fixture in
            let client = try await fixture.connect()
            await client.setReading(false)
            await client.send("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            await stalled.wait()
            #expect(sent.withLock { $0 } < count)
            await client.setReading(true)
            #expect(Self.body(await client.readAll()).utf8.count == piece.count * count)
        }
    }

    @Test(
        "breaks the connection when a streamed body fails or has the wrong length",
        arguments: ["/throws", "/short", "/long"])
    func brokenStream(path: String) async throws {
        try await ServerFixture.with(routes: { router in
            router.on(.get, "/throws") { _, _ in
                .stream(type: "text/plain") { writer in
                    try await writer.write(Array("part".utf8))
                    throw HTTPError.internalError
                }
            }
            router.on(.get, "/short") { _, _ in
                .stream(type: "text/plain", length: 9) { try await $0.write(Array("part".utf8)) }
            }
            router.on(.get, "/long") { _, _ in
                .stream(type: "text/plain", length: 3) { try await $0.write(Array("part".utf8)) }
            }
        }) { fixture in
            let client = try await fixture.connect()
            await client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\nGET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = await client.readAll()
            #expect(!answer.hasSuffix("0\r\n\r\n"))
            #expect(answer.split(separator: "200 OK", omittingEmptySubsequences: false).count <= 2)
        }
    }

    @Test("still answers a client that has half-closed", arguments: ["/ok", "/later", "/chunks"])
    func halfClose(path: String) async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let client = try await fixture.connect()
            await client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\nGET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.halfClose()
            #expect(await client.readAll().split(separator: "HTTP/1.1 200 OK").count == 2)
        }
    }

    @Test(
        "decodes parameters and query",
        arguments: [
            ("/things/a%20b?q=x+y%21", "a b x y! /things/{id}"), ("/things/1", "1 - /things/{id}"),
        ])
    func parameters(target: String, body: String) async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let response = try await fixture.exchange("GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(Self.body(response) == body)
        }
    }

    @Test(
        "says what it can not find or do, and goes on",
        arguments: [
            ("GET /none", 404, ""), ("POST /ok", 405, "Allow: GET, HEAD"), ("BREW /ok", 405, "Allow: GET, HEAD"),
            ("GET /things/%ff", 400, ""), ("GET /ok?a=%ff", 400, ""), ("GET /fails", 500, "internal_error"),
        ])
    func refusals(line: String, status: Int, contains: String) async throws {
        try await ServerFixture.with(routes: Self.routes) { fixture in
            let client = try await fixture.connect()
            await client.send("\(line) HTTP/1.1\r\nHost: a\r\n\r\n")
            let response = await client.read(to: "}")
            #expect(Self.status(response) == status)
            if !contains.isEmpty { #expect(response.contains(contains)) }
            await client.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(Self.status(await client.read(to: "}")) == 200)
            await client.close()
        }
    }

    @Test("spreads over loops on one port")
    func manyLoops() async throws {
        try await ServerFixture.with(loops: 3, routes: Self.routes) { fixture in
            for _ in 0..<12 {
                let response = try await fixture.exchange("GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                #expect(Self.status(response) == 200)
            }
        }
    }
}

import HTTPClient
import Platform
import Sockets
import TestSupport
import Testing

/// A client and a scripted server, each on a loop of its own.
struct Bench {
    let loops: [EventLoop]
    let server: ScriptedServer
    let client: HTTPClient

    init(configure: (inout HTTPClientConfiguration) -> Void = { _ in }, script: @escaping ScriptedServer.Script) throws
    {
        var configuration = HTTPClientConfiguration()
        configuration.usesEnvironmentProxy = false
        configure(&configuration)
        loops = try EventLoop.group(count: 2, name: "test")
        server = try ScriptedServer(loop: loops[0], script: script)
        client = HTTPClient(loop: loops[1], configuration: configuration)
    }

    func stop() async {
        await client.close()
        for loop in loops { loop.stop() }
    }

    /// The code a request fails with; nil when it succeeds.
    func failure(_ request: HTTPClientRequest? = nil, deadlines: Deadlines = Deadlines()) async -> HTTPClientError? {
        do {
            _ = try await client.send(request ?? HTTPClientRequest(url: server.url), deadlines: deadlines)
            return nil
        } catch {
            return error
        }
    }
}

@Suite("HTTP client")
struct HTTPClientTests {
    @Test("sends method, headers and body, and returns status, headers and body")
    func roundTrip() async throws {
        let bench = try Bench { _ in [.response("201 Created", headers: "X-Answer:  yes \r\n", body: "made")] }
        let reply = try await bench.client.send(
            HTTPClientRequest(
                method: "POST", url: bench.server.url + "/things?a=1",
                headers: ["Content-Type": "application/json", "X-Empty": ""], body: Array("{}".utf8)))
        #expect(reply.status == 201)
        #expect(reply.headers["x-answer"] == "yes")
        #expect(String(decoding: reply.body, as: UTF8.self) == "made")
        let request = try #require(bench.server.requests.first)
        #expect(request.head.hasPrefix("POST /things?a=1 HTTP/1.1\r\n"))
        #expect(request.header("content-type") == "application/json")
        #expect(request.header("x-empty") == "")
        #expect(request.header("expect") == nil)
        #expect(request.body == Array("{}".utf8))
        await bench.stop()
    }

    @Test("sends the method that was asked for", arguments: ["GET", "HEAD", "DELETE", "PUT", "PATCH", "POST"])
    func methods(_ method: String) async throws {
        let bench = try Bench { _ in [.send("HTTP/1.1 204 No Content\r\n\r\n")] }
        let body = ["PUT", "PATCH"].contains(method) ? Array("x".utf8) : []
        let reply = try await bench.client.send(HTTPClientRequest(method: method, url: bench.server.url, body: body))
        #expect(reply.status == 204)
        #expect(bench.server.requests.first?.head.hasPrefix("\(method) / ") == true)
        #expect(bench.server.requests.first?.body == body)
        await bench.stop()
    }

    @Test("hands over each piece of a body as it arrives")
    func streams() async throws {
        let bench = try Bench { _ in [.chunkedHead(), .chunk("one"), .wait, .chunk("two"), .wait, .lastChunk] }
        let response = try await bench.client.open(HTTPClientRequest(url: bench.server.url))
        #expect(response.headers["content-type"] == "text/event-stream")
        #expect(try await response.body.next() == Array("one".utf8))
        bench.server.release()
        #expect(try await response.body.next() == Array("two".utf8))
        bench.server.release()
        #expect(try await response.body.next() == nil)
        #expect(try await response.body.next() == nil)
        await bench.stop()
    }

    @Test("uses one connection for requests that follow each other")
    func reuse() async throws {
        let bench = try Bench { request in [.response("200 OK", body: "\(request.index)")] }
        for _ in 0..<20 { _ = try await bench.client.send(HTTPClientRequest(url: bench.server.url)) }
        #expect(bench.server.connectionCount == 1)
        #expect(await bench.client.connectionsOpened == 1)
        await bench.stop()
    }

    @Test("uses the connection again when the unread end of a body was left to the background")
    func backgroundFinish() async throws {
        let bench = try Bench { _ in [.chunkedHead(), .chunk("answer"), .wait, .lastChunk] }
        let first = try await bench.client.open(HTTPClientRequest(url: bench.server.url))
        #expect(try await first.body.next() == Array("answer".utf8))
        await first.body.finishInBackground()
        bench.server.release()
        #expect(try await first.body.next() == nil)
        _ = try await bench.client.open(HTTPClientRequest(url: bench.server.url))
        #expect(bench.server.connectionCount == 1)
        await bench.stop()
    }

    @Test("opens no more connections than allowed; the others wait")
    func connectionLimit() async throws {
        let bench = try Bench(configure: { $0.maxConnections = 2 }) { _ in [.wait, .response("200 OK")] }
        let calls = (0..<4).map { _ in
            Task { try await bench.client.send(HTTPClientRequest(url: bench.server.url)).status }
        }
        var arrived = 0
        for await event in bench.server.events where event == "request" {
            arrived += 1
            if arrived >= 2 { bench.server.release() }
            if arrived == 4 { break }
        }
        for call in calls { #expect(try await call.value == 200) }
        #expect(bench.server.connectionCount == 2)
        await bench.stop()
    }

    @Test("makes the server wait while the reader does, and loses nothing")
    func backpressure() async throws {
        let size = 32 << 20
        let bench = try Bench(configure: { $0.bufferBytes = 32 * 1024 }) { _ in
            [.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"), .bytes([UInt8](repeating: 7, count: size))]
        }
        var request = HTTPClientRequest(url: bench.server.url)
        request.maxResponseBytes = size
        let response = try await bench.client.open(request)
        let first = try #require(try await response.body.next())
        #expect(first.count <= 32 * 1024)
        // Nothing more is read: whatever the kernel's buffers hold, most stays with the server.
        for _ in 0..<50 { _ = await bench.client.connectionsOpened }
        #expect(await bench.server.pendingBytes() > size / 2)
        var total = first.count
        var largest = 0
        while let piece = try await response.body.next() {
            total += piece.count
            largest = max(largest, piece.count)
        }
        #expect(total == size)
        #expect(largest <= 32 * 1024)
        await bench.stop()
    }

    @Test(
        "cancelling the task ends the transfer at once, before the head and inside the body", arguments: [true, false])
    func cancellation(beforeHead: Bool) async throws {
        let bench = try Bench { _ in beforeHead ? [.wait] : [.chunkedHead(), .chunk("x"), .wait] }
        let got = AsyncStream<Void>.makeStream()
        let task = Task { () -> HTTPClientError? in
            do {
                let response = try await bench.client.open(HTTPClientRequest(url: bench.server.url))
                _ = try await response.body.next()
                got.continuation.yield()
                _ = try await response.body.next()
                return nil
            } catch {
                return error as? HTTPClientError
            }
        }
        if beforeHead {
            for await event in bench.server.events where event == "request" { break }
        } else {
            for await _ in got.stream { break }
        }
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        for await event in bench.server.events where event == "closed" { break }
        await bench.stop()
    }

    @Test("a body that is given up closes its connection")
    func abandonedBody() async throws {
        let bench = try Bench { _ in [.chunkedHead(), .chunk("x"), .wait] }
        do {
            let response = try await bench.client.open(HTTPClientRequest(url: bench.server.url))
            _ = try await response.body.next()
        }
        for await event in bench.server.events where event == "closed" { break }
        await bench.stop()
    }

    @Test("closing the client ends what is in progress, and refuses what comes after")
    func close() async throws {
        let bench = try Bench { _ in [.wait] }
        async let pending = bench.failure()
        for await event in bench.server.events where event == "request" { break }
        await bench.client.close()
        #expect(await pending?.code == .cancelled)
        #expect(await bench.failure()?.code == .invalidRequest)
        await bench.stop()
    }
}

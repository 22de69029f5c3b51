import HTTPClient
import Sockets
import TestSupport
import Testing

@Suite("HTTP client faults")
struct HTTPClientFaultTests {
    static let faults: [(String, [ScriptedServer.Step], HTTPClientError.Code)] = [
        ("closed without an answer", [.close], .cut),
        ("closed inside the head", [.send("HTTP/1.1 200 OK\r\nContent-"), .close], .cut),
        (
            "closed inside a body of known length",
            [.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), .close], .cut
        ),
        ("closed without the last chunk", [.chunkedHead(), .chunk("half"), .close], .cut),
        ("closed inside a chunk", [.chunkedHead(), .send("9\r\nhalf"), .close], .cut),
        (
            "a chunk size that is no number", [.chunkedHead(), .send("zz\r\nhalf\r\n0\r\n\r\n"), .close],
            .protocolViolation
        ),
        ("not HTTP", [.send("SSH-2.0-OpenSSH_9.2\r\n\r\n"), .close], .protocolViolation),
    ]

    @Test("each broken answer has its error", arguments: faults)
    func broken(_ name: String, _ steps: [ScriptedServer.Step], _ code: HTTPClientError.Code) async throws {
        let bench = try Bench { _ in steps }
        let error = await bench.failure()
        #expect(error?.code == code, "\(name): \(String(describing: error))")
        #expect(error?.wasSent == true)
        await bench.stop()
    }

    @Test(
        "each part of a request has its own deadline",
        arguments: [
            (
                [ScriptedServer.Step.wait], Deadlines(firstByte: .milliseconds(30)),
                HTTPClientError.Code.firstByteTimeout
            ),
            ([.chunkedHead(), .wait], Deadlines(idle: .milliseconds(30)), .idleTimeout),
            ([.chunkedHead(), .chunk("x"), .wait], Deadlines(idle: .milliseconds(30)), .idleTimeout),
        ])
    func deadlines(_ steps: [ScriptedServer.Step], _ deadlines: Deadlines, _ code: HTTPClientError.Code) async throws {
        let bench = try Bench { _ in steps }
        #expect(await bench.failure(deadlines: deadlines)?.code == code)
        await bench.stop()
    }

    @Test("the total deadline ends an answer that keeps coming")
    func totalDeadline() async throws {
        let bench = try Bench { _ in [.chunkedHead(), .chunk("x"), .wait] }
        #expect(await bench.failure(deadlines: Deadlines(total: .milliseconds(40)))?.code == .totalTimeout)
        await bench.stop()
    }

    @Test("a peer that accepts no connection is a connect timeout, and nothing was sent")
    func connectTimeout() async throws {
        // A backlog of 0 that is full: the kernel drops further SYNs.
        let loop = try EventLoop(name: "full")
        let address = try #require(SocketAddress(ip: "127.0.0.1", port: 0))
        let listener = try Listener(loop: loop, address: address, reusePort: false, backlog: 0) { _ in }
        let bench = try Bench { _ in [] }
        let url = "http://127.0.0.1:\(listener.address.port)"
        let short = Deadlines(connect: .milliseconds(50), firstByte: .milliseconds(50))
        let outcomes = await withTaskGroup(of: HTTPClientError?.self) { group in
            for _ in 0..<8 { group.addTask { await bench.failure(HTTPClientRequest(url: url), deadlines: short) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let timeouts = outcomes.filter { $0?.code == .connectTimeout }
        #expect(!timeouts.isEmpty)
        #expect(timeouts.allSatisfy { $0?.wasSent == false })
        await bench.stop()
        loop.stop()
    }

    @Test(
        "nobody listening and an unknown name are connect errors, and nothing was sent",
        arguments: [
            "http://127.0.0.1:1/", "http://name.invalid/",
        ])
    func connect(_ url: String) async throws {
        let bench = try Bench { _ in [] }
        let error = await bench.failure(HTTPClientRequest(url: url))
        #expect(error?.code == .connect)
        #expect(error?.wasSent == false)
        await bench.stop()
    }

    @Test("TLS with a peer that does not speak it is a TLS error")
    func tls() async throws {
        let bench = try Bench { _ in [.response("200 OK")] }
        let error = await bench.failure(
            HTTPClientRequest(url: "https://127.0.0.1:\(bench.server.port)"),
            deadlines: Deadlines(connect: .milliseconds(200)))
        // A server that waits for the rest of what it takes for a request says nothing: then the connect clock ends it.
        #expect(error?.code == .tls || error?.code == .connectTimeout)
        #expect(error?.wasSent == false)
        await bench.stop()
    }

    @Test(
        "what can not be written is refused before anything is sent",
        arguments: [
            HTTPClientRequest(url: "http://127.0.0.1/", headers: ["X-A": "a\r\nX-B: b"]),
            HTTPClientRequest(url: "http://127.0.0.1/", headers: ["X A": "a"]),
            HTTPClientRequest(method: "GET /x", url: "http://127.0.0.1/"),
            HTTPClientRequest(url: "file:///etc/passwd"),
            HTTPClientRequest(url: "ftp://127.0.0.1/"),
            HTTPClientRequest(url: "http://"),
        ])
    func invalid(_ request: HTTPClientRequest) async throws {
        let bench = try Bench { _ in [] }
        let error = await bench.failure(request)
        #expect(error?.code == .invalidRequest, "\(String(describing: error))")
        #expect(error?.wasSent == false)
        await bench.stop()
    }

    @Test("takes a body at its limit and refuses one byte more", arguments: [(10, true), (11, false)])
    func bodyLimit(_ size: Int, _ fits: Bool) async throws {
        let bench = try Bench { _ in [.response("200 OK", body: String(repeating: "x", count: size))] }
        let error = await bench.failure(HTTPClientRequest(url: bench.server.url, maxResponseBytes: 10))
        #expect(error?.code == (fits ? nil : .tooLarge))
        await bench.stop()
    }

    @Test("refuses a head without end")
    func headLimit() async throws {
        let line = "X-Filler: \(String(repeating: "x", count: 1000))\r\n"
        let bench = try Bench { _ in [.send("HTTP/1.1 200 OK\r\n" + String(repeating: line, count: 80) + "\r\n")] }
        #expect(await bench.failure()?.code == .tooLarge)
        await bench.stop()
    }

    @Test("follows no redirect")
    func redirect() async throws {
        let bench = try Bench { _ in [.response("302 Found", headers: "Location: /elsewhere\r\n")] }
        #expect(try await bench.client.send(HTTPClientRequest(url: bench.server.url)).status == 302)
        #expect(bench.server.requests.count == 1)
        await bench.stop()
    }

    @Test("skips interim answers and trailers")
    func interim() async throws {
        let bench = try Bench { _ in
            [
                .send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), .chunkedHead(), .chunk("body"),
                .send("0\r\nX-T: t\r\n\r\n"),
            ]
        }
        let reply = try await bench.client.send(HTTPClientRequest(url: bench.server.url))
        #expect(reply.status == 200)
        #expect(reply.headers["link"] == nil && reply.headers["x-t"] == nil)
        #expect(reply.body == Array("body".utf8))
        await bench.stop()
    }

    @Test("a request that was sent is not sent again when its kept connection ends without an answer")
    func sentOnce() async throws {
        let bench = try Bench { request in request.index == 0 ? [.response("200 OK")] : [.close] }
        _ = try await bench.client.send(HTTPClientRequest(url: bench.server.url))
        let error = await bench.failure(HTTPClientRequest(method: "POST", url: bench.server.url, body: [1]))
        #expect(error?.code == .cut)
        #expect(error?.wasSent == true)
        #expect(bench.server.requests.count == 2)
        await bench.stop()
    }

    @Test("one more request at once than allowed is refused")
    func transferLimit() async throws {
        let bench = try Bench(configure: { $0.maxTransfers = 1 }) { _ in [.wait, .response("200 OK")] }
        async let first = bench.client.send(HTTPClientRequest(url: bench.server.url)).status
        for await event in bench.server.events where event == "request" { break }
        #expect(await bench.failure()?.code == .busy)
        bench.server.release()
        #expect(try await first == 200)
        await bench.stop()
    }
}

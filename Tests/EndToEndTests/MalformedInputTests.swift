import Contracts
import Domain
import FaultSupport
import Glibc
import Platform
import PostgresClient
import TestSupport
import Testing

@Suite("Malformed input on every port", .needsPostgres, .needsRedis)
struct MalformedInputTests {
    /// What a socket is told before anybody speaks HTTP properly; the answer is a refusal or a clean close.
    static let garbage: [(name: String, bytes: [UInt8])] =
        [
            ("nothing", []),
            ("noise", (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 131) }),
            (
                "TLS hello",
                [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03]
                    + [UInt8](repeating: 0x41, count: 500)
            ),
            ("a line without an end", [UInt8](repeating: 0x41, count: 100_000)),
            ("PRI", Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)),
            ("no version", Array("GET /\r\n\r\n".utf8)),
            ("bare LF", Array("GET / HTTP/1.1\nHost: a\n\n".utf8)),
            ("no host", Array("GET / HTTP/1.1\r\n\r\n".utf8)),
            ("two lengths", post("Content-Length: 4\r\nContent-Length: 5\r\n", "abcde")),
            (
                "length and chunked",
                post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nGET /x HTTP/1.1\r\n\r\n")
            ),
            ("unknown coding", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")),
            ("a negative length", post("Content-Length: -1\r\n", "a")),
            ("a length beyond all words", post("Content-Length: 99999999999999999999999\r\n", "a")),
            ("a body of two gigabytes", post("Content-Length: 2147483648\r\n", "a")),
            ("a bad chunk", post("Transfer-Encoding: chunked\r\n", "zz\r\nabc\r\n0\r\n\r\n")),
            ("a space before the colon", Array("GET / HTTP/1.1\r\nHost : a\r\n\r\n".utf8)),
            ("a folded line", Array("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n".utf8)),
            ("NUL in a value", Array("GET / HTTP/1.1\r\nHost: a\r\nX: b\u{0}c\r\n\r\n".utf8)),
            ("a long target", Array("GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
            (
                "a large head",
                Array("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "b", count: 200_000))\r\n\r\n".utf8)
            ),
            (
                "many fields",
                Array("GET / HTTP/1.1\r\nHost: a\r\n\((0..<500).map { "X-\($0): a\r\n" }.joined())\r\n".utf8)
            ),
        ] + battery

    private static func post(_ fields: String, _ body: String) -> [UInt8] {
        Array(
            "POST /api/v1/debates HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(Stack.token)\r\n\(fields)\r\n\(body)"
                .utf8)
    }

    /// The requests that other servers were smuggled, as the fuzzers have them.
    private static var battery: [(name: String, bytes: [UInt8])] {
        StackFolder.corpus("HTTPHead").map { ("HTTPHead/\($0.file)", $0.bytes) }
    }

    @Test("garbage in place of HTTP is refused or closed, and every process lives")
    func http() async throws {
        try await Stack.with("malformed-http") { stack in
            stack.check(Self.garbage.count > 80, "only \(Self.garbage.count) samples of garbage were found")
            let members: [Stack.Member] = [.api(1), .gateway(1), .worker(1), .backup]
            try await stack.start(members)
            for member in members {
                let ports = stack.ports(of: member)
                let hasMain = member == .api(1) || member == .gateway(1)
                let open = hasMain ? [ports.main, ports.metrics] : [ports.metrics]
                for port in open {
                    for (name, bytes) in Self.garbage {
                        let answer = try await RawExchange.send(bytes, to: port)
                        stack.check(answer.isHTTPOrNothing, "\(name) to \(member): \(answer.text.prefix(200))")
                        // The fuzzers' samples hold good requests too.
                        let isRefused =
                            answer.bytes.isEmpty || answer.text.hasPrefix("HTTP/1.1 4")
                            || answer.text.hasPrefix("HTTP/1.1 5")
                        stack.check(
                            isRefused || name.hasPrefix("HTTPHead/"),
                            "\(name) to \(member) is accepted: \(answer.text.prefix(200))")
                    }
                }
            }
            let debates = try await stack.pool.query("SELECT count(*) AS n FROM debates")[0].int("n")
            stack.check(debates == 0, "a malformed request made \(debates) debates")
            try await stack.checkAlive(.api(1), .gateway(1), .worker(1), .backup)
        }
    }

    /// Bodies that a create must refuse, and the field its answer must name.
    static let bodies: [(body: String, field: String)] = [
        ("", "body"), ("{", "body"), ("[]", "body"), ("\"text\"", "body"), ("null", "body"), ("12", "body"),
        ("{\"question\":\"What now?\"} trailing", "body"), ("{\"question\":\"a\",\"question\":\"b\"}", "body"),
        (String(repeating: "[", count: 100_000), "body"), ("{}", "question"), ("{\"question\":12}", "question"),
        ("{\"question\":null,\"task\":[]}", "task"), ("{\"question\":\"a\"}", "question"),
        ("{\"question\":\"\(String(repeating: "a", count: 10_001))\"}", "question"),
        ("{\"question\":\"What now?\",\"rounds\":\"3\"}", "rounds"),
        ("{\"question\":\"What now?\",\"rounds\":0}", "rounds"),
        ("{\"question\":\"What now?\",\"rounds\":13}", "rounds"),
        ("{\"question\":\"What now?\",\"rounds\":1.5}", "rounds"),
        ("{\"question\":\"What now?\",\"rounds\":1e300}", "body"),
        ("{\"question\":\"What now?\",\"consensus\":\"loudest\"}", "consensus"),
        ("{\"question\":\"What now?\",\"consensus\":true}", "consensus"),
        ("{\"question\":\"What now?\",\"agents\":7}", "agents"),
        ("{\"question\":\"What now?\",\"agents\":[\"nobody-we-know\"]}", "agents"),
        ("{\"question\":\"What now?\",\"context\":{}}", "context"),
        ("{\"question\":\"What now?\",\"metadata\":[]}", "metadata"),
        ("{\"question\":\"What now?\",\"budget_limit_usd\":-1}", "budget_limit_usd"),
        ("{\"question\":\"What now?\",\"timeout_seconds\":\"soon\"}", "timeout_seconds"),
    ]

    @Test("a body that is not JSON, or is of another type or range, is answered 400 with its field")
    func create() async throws {
        try await Stack.with("malformed-create") { stack in
            try await stack.start(.api(1))
            for (body, field) in Self.bodies {
                let answer = try await stack.send("POST", "/api/v1/debates", body: Array(body.utf8))
                let fields = (answer.body["errors"]?.array ?? []).compactMap { $0["field"]?.string }
                stack.check(
                    answer.status == 400 && fields.contains { $0 == field || $0.hasPrefix(field) },
                    "\(body.prefix(80)) answers \(answer.status) \(answer.text.prefix(300)), expected the field \(field)"
                )
            }
            let large = try await stack.send(
                "POST", "/api/v1/debates", body: [UInt8](repeating: 0x20, count: 1_100_000))
            stack.check(large.status == 413, "a body over 1 MiB answers \(large.status)")
            let binary = try await stack.send("POST", "/api/v1/debates", body: [0xFF, 0xFE, 0x00, 0x80])
            stack.check(binary.status == 400, "bytes that are no text answer \(binary.status)")
            try await stack.checkAlive(.api(1))
        }
    }

    @Test("paths and queries that mean nothing are refused, with one flat error")
    func paths() async throws {
        let expected: [(path: String, status: Int)] = [
            ("/api/v1/debates/dbt_nothing", 404), ("/api/v1/debates/dbt_00000000000000000000000000", 404),
            ("/api/v1/debates/%00", 400), ("/api/v1/debates?limit=0", 400), ("/api/v1/debates?limit=101", 400),
            ("/api/v1/debates?limit=many", 400), ("/api/v1/debates?offset=-1", 400),
            ("/api/v1/debates?status=sleepy", 400),
            ("/api/v1/nothing", 404), ("/api/v1/debates/dbt_00000000000000000000000000/nothing", 404),
            ("/..%2f..%2fetc/passwd", 404),
        ]
        try await Stack.with("malformed-paths") { stack in
            try await stack.start(.api(1))
            for (path, status) in expected {
                let answer = try await stack.get(path)
                stack.check(
                    answer.status == status,
                    "GET \(path) answers \(answer.status) \(answer.text.prefix(200)), not \(status)")
                stack.check(
                    answer.body["error"]?.string != nil && answer.body["code"]?.string != nil,
                    "GET \(path): \(answer.text)")
            }
            try await stack.checkAlive(.api(1))
        }
    }

    /// What a WebSocket client may not say, as raw frames after the upgrade.
    static let frames: [(name: String, bytes: [UInt8])] = [
        ("noise", (0..<2048).map { UInt8(truncatingIfNeeded: $0 &* 167) }),
        ("unmasked text", [0x81, 0x02, 0x7B, 0x7D]),
        ("a reserved bit", [0xF1, 0x80, 0, 0, 0, 0]),
        ("a reserved opcode", [0x83, 0x80, 0, 0, 0, 0]),
        ("a long ping", [0x89, 0xFE, 0x00, 0x80] + [UInt8](repeating: 0, count: 132)),
        ("a fragmented ping", [0x09, 0x80, 0, 0, 0, 0]),
        ("a continuation of nothing", [0x80, 0x80, 0, 0, 0, 0]),
        ("text that is not UTF-8", [0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28]),
        ("a binary message", [0x82, 0x82, 0, 0, 0, 0, 1, 2]),
        ("a message of exabytes", [0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]),
        (
            "a message over the limit",
            [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0] + [UInt8](repeating: 0x61, count: 65_537)
        ),
        ("a close of one byte", [0x88, 0x81, 0, 0, 0, 0, 3]),
        ("a close with a forbidden code", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED]),
    ]

    @Test("frames that are not WebSocket are answered by a close, on the gateway and through the api")
    func webSocketFrames() async throws {
        try await Stack.with("malformed-frames") { stack in
            try await stack.start(.api(1), .gateway(1))
            for member in [Stack.Member.gateway(1), .api(1)] {
                let port = stack.ports(of: member).main
                for (name, bytes) in Self.frames {
                    let answer = try await RawExchange.send(Self.upgrade(port) + bytes, to: port)
                    stack.check(
                        answer.text.hasPrefix("HTTP/1.1 101"), "\(name) to \(member): \(answer.text.prefix(200))")
                    stack.check(answer.isClosed, "\(name) to \(member): the connection stays open")
                }
            }
            try await stack.checkAlive(.api(1), .gateway(1))
        }
    }

    private static func upgrade(_ port: UInt16) -> [UInt8] {
        Array(
            """
            GET /ws?token=\(Stack.token) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: Upgrade\r\nUpgrade: websocket\r
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
            """.utf8)
    }

    @Test("messages that mean nothing are warned of, and the connection goes on")
    func messages() async throws {
        let texts = [
            "", "{", "[]", "12", "null", "{}", "{\"type\":7}", "{\"type\":\"dance\"}", "{\"type\":\"subscribe\"}",
            "{\"type\":\"subscribe\",\"debate_id\":\"../../etc\"}", "{\"type\":\"subscribe\",\"debate_id\":{}}",
            "{\"type\":\"subscribe\",\"debate_id\":\"dbt_00000000000000000000000000\",\"replay_from_seq\":-1}",
            "{\"type\":\"subscribe\",\"debate_id\":\"dbt_00000000000000000000000000\",\"after_hash\":\"zz\"}",
        ]
        try await Stack.with("malformed-messages") { stack in
            try await stack.start(.api(1), .gateway(1))
            for member in [Stack.Member.gateway(1), .api(1)] {
                let talk = try await Talk.open(stack, member)
                for text in texts {
                    let answer = try await talk.ask(text, for: "warning")
                    stack.check(answer != nil, "\(member) does not warn of \(text)")
                }
                let pong = try await talk.ask("{\"type\":\"ping\",\"ts\":1}", for: "pong")
                stack.check(pong != nil, "\(member) does not answer a ping afterwards")
                await talk.close()
            }
            try await stack.checkAlive(.api(1), .gateway(1))
        }
    }

    @Test("an upgrade without a credential, or with a wrong one, is answered 401")
    func unauthorized() async throws {
        try await Stack.with("unauthorized") { stack in
            try await stack.start(.api(1), .gateway(1))
            for member in [Stack.Member.gateway(1), .api(1)] {
                let port = stack.ports(of: member).main
                for query in ["", "?token=wrong", "?token=a:1:00"] {
                    let request = String(decoding: Self.upgrade(port), as: UTF8.self).split(
                        separator: "?token=\(Stack.token)")
                    let bytes = Array(request.joined(separator: query).utf8)
                    let answer = try await RawExchange.send(bytes, to: port)
                    stack.check(
                        answer.text.hasPrefix("HTTP/1.1 401"), "\(query) to \(member): \(answer.text.prefix(200))")
                }
            }
        }
    }
}

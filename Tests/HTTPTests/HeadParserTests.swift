import Testing

@testable import HTTP

@Suite("A request head")
struct HeadParserTests {
    /// What a parser made of some bytes: comparable, so that whole and split feeding can be compared.
    enum Outcome: Equatable {
        case head(method: String, path: String, query: String?, fields: [String], framing: BodyFraming, used: Int)
        case more
        case refused(HTTPError)
    }

    static func parse(_ bytes: [UInt8], cutInto size: Int = .max, limits: HTTPLimits = HTTPLimits()) -> Outcome {
        var parser = HeadParser(limits: limits)
        var end = 0
        do throws(HTTPError) {
            while end < bytes.count {
                end = min(bytes.count, end + min(size, bytes.count))
                let fed = bytes[..<end]
                guard let (head, used) = try parser.parse(fed.span) else { continue }
                return .head(
                    method: head.method.description, path: head.path, query: head.rawQuery,
                    fields: head.allFields.map { "\($0.name): \($0.value)" }, framing: head.framing, used: used)
            }
            return .more
        } catch {
            return .refused(error)
        }
    }

    static func parse(_ text: String) -> Outcome { parse(Array(text.utf8)) }

    static func head(_ text: String) throws -> RequestHead {
        let bytes = Array(text.utf8)
        var parser = HeadParser(limits: HTTPLimits())
        let result = try parser.parse(bytes.span)
        return try #require(result).head
    }

    static func status(_ outcome: Outcome) -> Int {
        switch outcome {
        case .head: 200
        case .more: 0
        case .refused(let error): error.status.code
        }
    }

    /// Requests and the status they get: the smuggling battery and the rest of RFC 9112's refusals.
    static let battery: [(String, Int)] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\n\r\n", 200),
        ("GET / HTTP/1.9\r\nHost: a\r\n\r\n", 200),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET http://a/b?c HTTP/1.1\r\nHost: A\r\n\r\n", 200),
        ("GET http://a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 200),
        ("PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 200),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", 200),
        // two ways to find the end of the body
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,5\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tfolded\r\n\r\n", 400),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        // characters
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{7F}b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX(y: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}\u{2}", 400),
        // Host
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: %4\r\n\r\n", 400),
        ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        // request line
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\r\nHost: a\r\n\r\n", 400),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/11\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        ("PRI * HTTP/2.0\r\n\r\n", 505),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 400),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\u{E9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /?a=% HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("(GET) / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("\(String(repeating: "M", count: 33)) / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        // expectations
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 200),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nContent-Length: 1\r\n\r\n", 417),
    ]

    @Test("gets the status its form deserves", arguments: battery)
    func strictness(text: String, status: Int) {
        #expect(Self.status(Self.parse(text)) == status)
    }

    @Test("means the same however it is cut into pieces", arguments: battery.map(\.0))
    func split(text: String) {
        let whole = Self.parse(text)
        for size in [1, 2, 3, 7, 16] { #expect(Self.parse(Array(text.utf8), cutInto: size) == whole) }
    }

    @Test("may be as long as the limit and no longer", arguments: [(0, 200), (1, 431)])
    func headLimit(excess: Int, status: Int) {
        let limits = HTTPLimits()
        let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
        let filler = String(repeating: "x", count: limits.headBytes - frame.utf8.count + excess)
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: \(filler)\r\n\r\n".utf8)
        #expect(Self.status(Self.parse(bytes)) == status)
        #expect(Self.status(Self.parse(bytes, cutInto: 1000)) == status)
    }

    @Test("is refused as soon as it is too long, whole or not")
    func endlessHead() {
        let endless = Array("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 100_000))".utf8)
        #expect(Self.status(Self.parse(endless)) == 431)
        #expect(Self.status(Self.parse(endless, cutInto: 1000)) == 431)
    }

    @Test("has at most a hundred fields", arguments: [(99, 200), (100, 431)])
    func fieldCount(others: Int, status: Int) {
        let fields = (0..<others).map { "X\($0): y\r\n" }.joined()
        #expect(Self.status(Self.parse("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")) == status)
    }

    @Test("has a target of at most eight kibibytes", arguments: [(8192, 200), (8193, 414), (9000, 414), (40_000, 414)])
    func targetLimit(count: Int, status: Int) {
        let target = "/" + String(repeating: "a", count: count - 1)
        let bytes = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(Self.status(Self.parse(bytes)) == status)
        #expect(Self.status(Self.parse(bytes, cutInto: 100)) == status)
    }

    @Test("leaves what follows it alone")
    func pipelined() throws {
        let first = "GET /one HTTP/1.1\r\nHost: a\r\n\r\n"
        guard case .head(_, let path, _, _, _, let used) = Self.parse(first + "GET /two") else {
            Issue.record("not parsed")
            return
        }
        #expect(path == "/one")
        #expect(used == first.utf8.count)
    }

    @Test("is read into its parts")
    func parts() throws {
        let head = try Self.head(
            "POST http://ex.org/a%20b?q=1?2 HTTP/1.1\r\nhOsT: ex.org\r\nX-Name:\t two words \t\r\nx-name: again\r\n"
                + "Connection: keep-alive, Upgrade\r\nUpgrade: h2c, WebSocket\r\nExpect: 100-continue\r\n"
                + "Content-Length: 0012\r\n\r\n")
        #expect(head.method == .post)
        #expect(head.path == "/a%20b")
        #expect(head.rawQuery == "q=1?2")
        #expect(head["Host"] == "ex.org")
        #expect(head["X-NAME"] == "two words")
        #expect(head.values("x-name") == ["two words", "again"])
        #expect(head["absent"] == nil)
        #expect(head.lists("websocket", in: "upgrade"))
        #expect(!head.lists("web", in: "upgrade"))
        #expect(head.asksUpgrade)
        #expect(head.expectsContinue)
        #expect(head.framing == .length(12))
    }

    @Test(
        "says whether the connection stays open",
        arguments: [
            ("HTTP/1.1", "", true), ("HTTP/1.1", "close", false), ("HTTP/1.1", "x, Close", false),
            ("HTTP/1.0", "", false), ("HTTP/1.0", "Keep-Alive", true), ("HTTP/1.0", "keep-alive, close", false),
        ])
    func keepAlive(version: String, connection: String, expected: Bool) throws {
        let head = try Self.head("GET / \(version)\r\nHost: a\r\nConnection: \(connection)\r\n\r\n")
        #expect(head.keepsAlive == expected)
    }

    @Test(
        "has a path even in the barest absolute form",
        arguments: [
            ("http://a", "/", nil), ("http://a?x", "/", "x"), ("http://a/?", "/", ""),
        ] as [(String, String, String?)])
    func absolute(target: String, path: String, query: String?) throws {
        let head = try Self.head("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.path == path)
        #expect(head.rawQuery == query)
    }
}

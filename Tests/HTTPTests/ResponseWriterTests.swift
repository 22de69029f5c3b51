import Testing

@testable import HTTP

@Suite("A response head")
struct ResponseWriterTests {
    private func head(
        _ status: Status, _ framing: ResponseWriter.Framing, _ headers: Headers = [:], keepsAlive: Bool = true,
        versionMinor: Int = 1
    ) -> String {
        var out: [UInt8] = []
        ResponseWriter.appendHead(
            to: &out, status, headers, framing, keepsAlive: keepsAlive, versionMinor: versionMinor,
            date: Array("Date: now\r\n".utf8))
        return String(decoding: out, as: UTF8.self)
    }

    @Test("frames its body")
    func framing() {
        #expect(head(.ok, .length(0)) == "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n")
        #expect(head(.ok, .length(1234)).contains("Content-Length: 1234\r\n"))
        #expect(head(.created, .chunked) == "HTTP/1.1 201 Created\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(head(.noContent, .none) == "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n")
        #expect(head(.ok, .untilClose).contains("Connection: close\r\n"))
    }

    @Test(
        "says how the connection goes on",
        arguments: [
            (1, true, nil), (1, false, "close"), (0, true, "keep-alive"), (0, false, "close"),
        ] as [(Int, Bool, String?)])
    func connection(versionMinor: Int, keepsAlive: Bool, expected: String?) {
        let text = head(.ok, .length(0), keepsAlive: keepsAlive, versionMinor: versionMinor)
        #expect(text.contains("Connection: ") == (expected != nil))
        if let expected { #expect(text.contains("Connection: \(expected)\r\n")) }
    }

    @Test("keeps its fields in order, repeated ones too, and ignores those it writes itself")
    func fields() {
        var headers: Headers = ["Content-Type": "text/plain", "Content-Length": "9", "connection": "close"]
        headers.add("Set-Cookie", "a=1")
        headers.add("Set-Cookie", "b=2")
        headers[.contentType] = "application/json"
        #expect(
            head(.ok, .length(2), headers) == "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\n"
                + "Set-Cookie: b=2\r\nContent-Type: application/json\r\n\r\n")
    }

    @Test(
        "can not be made to carry another field",
        arguments: ["a\r\nX: y", "a\nX: y", "a\rb", "a\0b", "\u{1B}[0m", "a\u{7F}"])
    func injection(text: String) {
        #expect(HeaderValue(text) == nil)
        #expect(HeaderName(text) == nil)
        var headers = Headers()
        headers["X"] = HeaderValue(text)
        #expect(headers.fields.isEmpty)
    }

    @Test(
        "names a date in its one form",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
        ] as [(Int64, String)])
    func dates(seconds: Int64, expected: String) {
        #expect(DateField.format(seconds) == expected)
        var field = DateField()
        #expect(field.bytes(second: seconds) == Array("Date: \(expected)\r\n".utf8))
        #expect(field.bytes(second: seconds + 1) != field.bytes(second: seconds))
    }

    @Test("writes chunks in hexadecimal, and no empty one")
    func chunks() {
        var out: [UInt8] = []
        ResponseWriter.appendChunk(to: &out, Array(repeating: 120, count: 26))
        ResponseWriter.appendChunk(to: &out, [])
        #expect(String(decoding: out, as: UTF8.self) == "1a\r\n\(String(repeating: "x", count: 26))\r\n")
    }
}

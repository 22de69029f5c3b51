import HTTPClient
import Testing

@Suite("Server-sent events")
struct ServerSentEventTests {
    @Test(
        "reads events as the standard says",
        arguments: [
            ("data: a\n\n", [["message", "a"]]),
            ("data:a\n\n", [["message", "a"]]),
            ("data:  a\n\n", [["message", " a"]]),
            ("event: ping\ndata: {}\n\n", [["ping", "{}"]]),
            ("data: a\ndata: b\n\n", [["message", "a\nb"]]),
            ("data\n\n", [["message", ""]]),
            ("data: a\r\n\r\ndata: b\r\rdata: c\n\n", [["message", "a"], ["message", "b"], ["message", "c"]]),
            ("\u{FEFF}data: a\n\n", [["message", "a"]]),
            (": comment\nid: 7\nretry: 5\nunknown: x\ndata: a\n\n", [["message", "a"]]),
            ("event: x\n\ndata: a\n\n", [["message", "a"]]),
            ("data: without its empty line\n", []),
            ("\n\n\n", []),
        ])
    func standard(_ text: String, _ expected: [[String]]) throws {
        var whole = ServerSentEventParser()
        #expect(try whole.feed(text.utf8).map { [$0.name, $0.data] } == expected)
        var split = ServerSentEventParser()
        var events: [ServerSentEvent] = []
        for byte in text.utf8 { try split.feed([byte], into: &events) }
        #expect(events.map { [$0.name, $0.data] } == expected)
    }

    @Test("repairs what is not UTF-8")
    func repairs() throws {
        var parser = ServerSentEventParser()
        #expect(try parser.feed(Array("data: ".utf8) + [0xFF] + Array("\n\n".utf8)).map(\.data) == ["\u{FFFD}"])
    }

    @Test("takes a line at its limit and refuses one byte more, also when it never ends")
    func lineLimit() throws {
        var atLimit = ServerSentEventParser(maxLineBytes: 10)
        #expect(try atLimit.feed("data: 1234\n\n".utf8).count == 1)
        var past = ServerSentEventParser(maxLineBytes: 10)
        #expect(throws: ServerSentEventParser.Failure(code: .lineTooLong)) { try past.feed("data: 12345".utf8) }
        #expect(throws: ServerSentEventParser.Failure(code: .lineTooLong)) { try past.feed("\n\n".utf8) }
    }

    @Test("takes an event at its limit and refuses one byte more")
    func eventLimit() throws {
        var atLimit = ServerSentEventParser(maxEventBytes: 8)
        #expect(try atLimit.feed("data: 123\ndata: 456\n\n".utf8).map(\.data) == ["123\n456"])
        var past = ServerSentEventParser(maxEventBytes: 8)
        #expect(throws: ServerSentEventParser.Failure(code: .eventTooLarge)) {
            try past.feed("data: 123\ndata: 4567\ndata: 8\n\n".utf8)
        }
    }
}

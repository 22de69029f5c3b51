import Testing

@testable import HTTP

@Suite("WebSocket frames")
struct FrameTests {
    enum Outcome: Equatable {
        case messages([WebSocketMessage])
        case failed([WebSocketMessage], UInt16)
    }

    static func read(_ bytes: [UInt8], cutInto size: Int = .max, role: WebSocketRole = .server, limit: Int = 1000)
        -> Outcome
    {
        var parser = FrameParser(role: role, limitBytes: limit)
        var assembler = MessageAssembler(limitBytes: limit)
        var messages: [WebSocketMessage] = []
        do throws(WebSocketError) {
            for start in stride(from: 0, to: bytes.count, by: min(size, max(1, bytes.count))) {
                let piece = bytes[start..<min(bytes.count, start + min(size, bytes.count))]
                var offset = 0
                while let part = try parser.next(piece.span, &offset) {
                    if let message = try assembler.take(part) { messages.append(message) }
                }
            }
        } catch {
            return .failed(messages, error.code.rawValue)
        }
        return .messages(messages)
    }

    static func masked(_ opcode: Opcode, _ payload: [UInt8], final: Bool = true) -> [UInt8] {
        FrameWriter.encode(opcode, payload, isFinal: final, maskKey: 0x0102_0304)
    }

    static func masked(_ opcode: Opcode, _ text: String, final: Bool = true) -> [UInt8] {
        masked(opcode, Array(text.utf8), final: final)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let expected: Outcome
        var testDescription: String { name }

        init(_ name: String, _ bytes: [UInt8], _ expected: Outcome) {
            (self.name, self.bytes, self.expected) = (name, bytes, expected)
        }
    }

    static let table: [Case] = [
        Case(
            "RFC 6455 §5.7, masked Hello", [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58],
            .messages([.text("Hello")])),
        Case("an empty text", masked(.text, ""), .messages([.text("")])),
        Case("binary", masked(.binary, [0, 255]), .messages([.binary([0, 255])])),
        Case(
            "125 bytes", masked(.binary, .init(repeating: 1, count: 125)),
            .messages([.binary(.init(repeating: 1, count: 125))])),
        Case(
            "126 bytes", masked(.binary, .init(repeating: 1, count: 126)),
            .messages([.binary(.init(repeating: 1, count: 126))])),
        Case(
            "the limit", masked(.binary, .init(repeating: 1, count: 1000)),
            .messages([.binary(.init(repeating: 1, count: 1000))])),
        Case("one past the limit", masked(.binary, .init(repeating: 1, count: 1001)), .failed([], 1009)),
        Case(
            "one past the limit in fragments",
            masked(.binary, .init(repeating: 1, count: 600), final: false)
                + masked(.continuation, .init(repeating: 1, count: 401)),
            .failed([], 1009)),
        Case(
            "fragments with a ping between",
            masked(.text, "Hé", final: false) + masked(.ping, "p") + masked(.continuation, "l", final: false)
                + masked(.continuation, "lo"),
            .messages([.ping([112]), .text("Héllo")])),
        Case(
            "a character across fragments",
            masked(.text, [0xC3], final: false) + masked(.continuation, [0xA9]), .messages([.text("é")])),
        Case("two messages", masked(.text, "a") + masked(.text, "b"), .messages([.text("a"), .text("b")])),
        Case("a pong", masked(.pong, "x"), .messages([.pong([120])])),
        Case("close without code", masked(.close, ""), .messages([.close(.noCode, reason: "")])),
        Case(
            "close with reason", masked(.close, [3, 232] + Array("bye".utf8)),
            .messages([.close(.normal, reason: "bye")])),
        Case(
            "close of the application's own", masked(.close, [0x0F, 0xA0]),
            .messages([.close(CloseCode(rawValue: 4000), reason: "")])),
        Case("half a close code", masked(.close, [3]), .failed([], 1002)),
        Case("close 1005", masked(.close, [3, 237]), .failed([], 1002)),
        Case("close 1006", masked(.close, [3, 238]), .failed([], 1002)),
        Case("close 1004", masked(.close, [3, 236]), .failed([], 1002)),
        Case("close 999", masked(.close, [3, 231]), .failed([], 1002)),
        Case("close 1015", masked(.close, [3, 247]), .failed([], 1002)),
        Case("close 5000", masked(.close, [0x13, 0x88]), .failed([], 1002)),
        Case("close with a reason that is not UTF-8", masked(.close, [3, 232, 0xFF]), .failed([], 1007)),
        Case("text that is not UTF-8", masked(.text, [0xFF]), .failed([], 1007)),
        Case("text that ends within a character", masked(.text, [0xC3]), .failed([], 1007)),
        Case("a surrogate", masked(.text, [0xED, 0xA0, 0x80]), .failed([], 1007)),
        Case("an overlong slash", masked(.text, [0xC0, 0xAF]), .failed([], 1007)),
        Case("past U+10FFFF", masked(.text, [0xF4, 0x90, 0x80, 0x80]), .failed([], 1007)),
        Case("bad UTF-8 in an unfinished message", masked(.text, [0x41, 0xFF], final: false), .failed([], 1007)),
        Case("no mask", [0x81, 0x01, 0x41], .failed([], 1002)),
        Case("RSV1", [0xC1, 0x80, 0, 0, 0, 0], .failed([], 1002)),
        Case("opcode 3", [0x83, 0x80, 0, 0, 0, 0], .failed([], 1002)),
        Case("opcode 11", [0x8B, 0x80, 0, 0, 0, 0], .failed([], 1002)),
        Case("a fragmented ping", [0x09, 0x80, 0, 0, 0, 0], .failed([], 1002)),
        Case("a long ping", [0x89, 0xFE, 0, 126], .failed([], 1002)),
        Case("125 in two bytes", [0x82, 0xFE, 0, 125], .failed([], 1002)),
        Case("65535 in eight bytes", [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], .failed([], 1002)),
        Case("a length with its top bit set", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], .failed([], 1002)),
        Case("a huge length", [0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .failed([], 1009)),
        Case("a continuation of nothing", masked(.continuation, "x"), .failed([], 1002)),
        Case("a message within a message", masked(.text, "a", final: false) + masked(.text, "b"), .failed([], 1002)),
        Case("an answered message before the error", masked(.text, "a") + [0xFF], .failed([.text("a")], 1002)),
    ]

    @Test("are read or refused", arguments: table)
    func reads(example: Case) {
        #expect(Self.read(example.bytes) == example.expected)
    }

    @Test("mean the same however they are cut into pieces", arguments: table)
    func split(example: Case) {
        for size in [1, 2, 3, 7] { #expect(Self.read(example.bytes, cutInto: size) == example.expected) }
    }

    @Test(
        "of a server are not masked and use the shortest length",
        arguments: [
            (0, [0x82, 0]), (125, [0x82, 125]), (126, [0x82, 126, 0, 126]), (65_535, [0x82, 126, 255, 255]),
            (65_536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] as [(Int, [UInt8])])
    func lengths(count: Int, head: [UInt8]) {
        let payload = [UInt8](repeating: 7, count: count)
        #expect(Frame.binary(payload).bytes == head + payload)
        #expect(Self.read(Frame.binary(payload).bytes, role: .client, limit: 70_000) == .messages([.binary(payload)]))
    }

    @Test("of a close hold a reason cut between characters, and no code that may not be sent")
    func closing() {
        let frame = Frame.close(.normal, reason: String(repeating: "é", count: 100))
        #expect(frame.bytes.count == 2 + 2 + 122)
        #expect(Frame.close(.abnormal, reason: "x").bytes == [0x88, 0])
        #expect(
            Self.read(frame.bytes, role: .client)
                == .messages([.close(.normal, reason: String(repeating: "é", count: 61))]))
    }
}

@Suite("The payload of a frame")
struct FramePayloadTests {
    @Test("is what was put into it, however its length is written", arguments: [0, 1, 125, 126, 65_535, 65_536])
    func payload(count: Int) {
        let text = (0..<count).map { UInt8(ascii: "a") + UInt8($0 % 26) }
        #expect(Array(Frame.text(text).payload) == text)
    }
}

@Suite("A WebSocket handshake")
struct HandshakeTests {
    static let fields = [
        "Host": "a", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ]

    static func head(_ changes: [String: String?] = [:], line: String = "GET /chat HTTP/1.1") throws -> RequestHead {
        var fields: [String: String] = Self.fields
        for (name, value) in changes { fields[name] = value }
        let text = fields.map { "\($0.key): \($0.value)\r\n" }.joined()
        return try HeadParserTests.head("\(line)\r\n\(text)\r\n")
    }

    @Test("is answered with the key of RFC 6455 §1.3")
    func accepts() throws {
        let handshake = try Handshake(Self.head())
        #expect(handshake.acceptKey == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(handshake.offeredProtocols.isEmpty)
    }

    @Test("lists the subprotocols the client offers")
    func protocols() throws {
        let handshake = try Handshake(Self.head(["Sec-WebSocket-Protocol": "one, access_token.abc"]))
        #expect(handshake.offeredProtocols == ["one", "access_token.abc"])
        #expect(WebSocketUpgrade(handshake, subprotocol: "one") { _ in NoDelegate() }.subprotocol == "one")
        #expect(WebSocketUpgrade(handshake, subprotocol: "two") { _ in NoDelegate() }.subprotocol == nil)
    }

    @Test(
        "is refused when it breaks a rule",
        arguments: [
            (["Upgrade": nil], 426), (["Upgrade": "h2c"], 426), (["Connection": "keep-alive"], 426),
            (["Sec-WebSocket-Version": "8"], 426), (["Sec-WebSocket-Version": nil], 426),
            (["Sec-WebSocket-Key": nil], 400),
            (["Sec-WebSocket-Key": "c2hvcnQ="], 400), (["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j*Q=="], 400),
            (["Sec-WebSocket-Protocol": "a b"], 400), (["Content-Length": "3"], 400),
        ] as [([String: String?], Int)])
    func refuses(changes: [String: String?], status: Int) throws {
        let head = try Self.head(changes)
        let error = #expect(throws: HTTPError.self) { try Handshake(head) }
        #expect(error?.status.code == status)
    }

    @Test("needs GET and HTTP/1.1", arguments: [("POST / HTTP/1.1", 405), ("GET / HTTP/1.0", 426)])
    func methods(line: String, status: Int) throws {
        let head = try Self.head(line: line)
        let error = #expect(throws: HTTPError.self) { try Handshake(head) }
        #expect(error?.status.code == status)
    }

    final class NoDelegate: WebSocketDelegate {
        func webSocketReceived(_ message: WebSocketMessage) {}
        func webSocketClosed(_ code: CloseCode, reason: String) {}
    }
}

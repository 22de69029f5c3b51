import Contracts
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    @Test(
        "refuses what RFC 8259 does not allow",
        arguments: [
            "", " ", "{", "}", "[", "[1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
            "{1:2}", "nul", "nulll", "True",
            "01", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x10", "Infinity", "NaN", "-Infinity", "1 2", "\"",
            "\"\\\"", "\"\\x\"", "\"\\u12\"",
            "\"\\u12g4\"", "\"\u{1}\"", "\"a\nb\"", "\u{FEFF}1", "// 1", "[1]//", "{\"a\":1 \"b\":2}", "[1 2]",
            "\"\\uD800\\u12\"", "\u{C}1",
            "\"\\u١٢٣٤\"",
        ])
    func syntax(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test(
        "refuses bytes that are not UTF-8",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22], [0x22, 0x5C, 0x6E, 0xFF, 0x22],
        ] as [[UInt8]])
    func encoding(bytes: [UInt8]) {
        #expect(code(bytes) == .encoding)
    }

    @Test("keeps keys apart that Swift takes for one, and refuses a key that comes twice")
    func duplicateKeys() throws {
        let two = try JSONParser.parse(Array("{\"é\":1,\"e\u{301}\":2}".utf8))
        #expect(two["é"] == 1)
        #expect(two["e\u{301}"] == 2)
        #expect(code(Array(#"{"a":1,"\u0061":2}"#.utf8)) == .duplicateKey)
        #expect(code(Array(#"{"a":1,"b":2,"a":3}"#.utf8)) == .duplicateKey)
        #expect(code(Array(#"{"b":1,"a":2,"b":3}"#.utf8)) == .duplicateKey)
        let many = (0..<40).map { "\"k\($0)\":0" }.joined(separator: ",")
        #expect(throws: Never.self) { try JSONParser.parse(Array("{\(many)}".utf8)) }
        #expect(code(Array("{\(many),\"k3\":1}".utf8)) == .duplicateKey)
        #expect(code(Array("{\(many),\"k39\":1}".utf8)) == .duplicateKey)
    }

    @Test("takes numbers up to 2^53 − 1 and not one more")
    func numbers() throws {
        #expect(try JSONParser.parse(Array("9007199254740991".utf8)).int == JSONValue.maximumInteger)
        #expect(try JSONParser.parse(Array("-9007199254740991".utf8)).int == -JSONValue.maximumInteger)
        #expect(try JSONParser.parse(Array("3.0".utf8)).int == 3)
        #expect(try JSONParser.parse(Array("3.5".utf8)).int == nil)
        for text in ["9007199254740992", "-9007199254740992", "99999999999999999999", "1e16", "1e400", "-1e400"] {
            #expect(code(Array(text.utf8)) == .numberRange)
        }
    }

    @Test("nests as deep as the limit and not one deeper")
    func depth() {
        let limit = JSONParser.maximumDepth
        let nested = { (depth: Int) in [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth) }
        #expect(throws: Never.self) { try JSONParser.parse(nested(limit)) }
        #expect(code(nested(limit + 1)) == .tooDeep)
        #expect(code([UInt8](repeating: 0x5B, count: 1 << 20)) == .tooDeep)
    }

    @Test("reads as many bytes as the limit and not one more")
    func size() {
        #expect(throws: Never.self) { try JSONParser.parse(Array("[1,2]".utf8), maximumBytes: 5) }
        #expect(throws: JSONError.self) { try JSONParser.parse(Array("[1,2] ".utf8), maximumBytes: 5) }
    }

    @Test(
        "turns NUL and lone surrogates into U+FFFD",
        arguments: [
            (#""\u0000""#, "\u{FFFD}"), (#""\ud800""#, "\u{FFFD}"), (#""\udc00x""#, "\u{FFFD}x"),
            (#""\ud800\ud83d\ude00""#, "\u{FFFD}😀"),
            (#""\ud800\n""#, "\u{FFFD}\n"), (#""\ud83d\ude00""#, "😀"),
        ])
    func replacement(json: String, text: String) throws {
        #expect(try JSONParser.parse(Array(json.utf8)) == .string(text))
    }

    @Test(
        "says where and why",
        arguments: [
            ("[1,]", "no JSON value starts like this at byte 3"),
            ("{\"a\":1,\"a\":2}", "a key comes twice in one object at byte 7"),
        ])
    func messages(json: String, message: String) {
        do {
            _ = try JSONParser.parse(Array(json.utf8))
            Issue.record("accepted")
        } catch {
            #expect(error.description == message)
        }
    }

    private func code(_ bytes: [UInt8]) -> JSONError.Code? {
        do {
            _ = try JSONParser.parse(bytes)
            return nil
        } catch { return error.code }
    }
}

import Contracts
import TestSupport
import Testing

@Suite("Canonical JSON")
struct CanonicalJSONTests {
    @Test("writes the 1,000 vectors that Python writes")
    func vectors() throws {
        let lines = try Golden.lines("canonical_json.jsonl")
        #expect(lines.count == 1000)
        for line in lines {
            let vector = try JSONParser.parse(line)
            if let bits = vector["bits"]?.string, let text = vector["text"]?.string {
                let value = Double(bitPattern: try #require(UInt64(bits, radix: 16)))
                #expect(String(decoding: CanonicalJSON.encode(.double(value)), as: UTF8.self) == text)
            } else {
                let json = try #require(vector["json"]?.string)
                let canonical = Array(try #require(vector["canonical"]?.string).utf8)
                let value = try JSONParser.parse(Array(json.utf8))
                #expect(CanonicalJSON.encode(value) == canonical, "\(json)")
                #expect(try JSONParser.parse(canonical) == value, "\(json)")
            }
        }
    }

    @Test(
        "sorts keys by UTF-16 code units",
        arguments: [
            ("a", "b"), ("", "a"), ("a", "aa"), ("\u{10000}", "\u{E000}"), ("\u{1F600}", "\u{FB33}"),
            ("\u{D7FF}", "\u{10000}"),
            ("e\u{301}", "é"), ("\u{FFFD}", "\u{FFFF}"), ("x\u{10FFFF}", "x\u{EE00}"), ("\u{10000}", "\u{10001}"),
        ])
    func order(first: String, second: String) {
        let object: JSONValue = .object(JSONObject([(second, 2), (first, 1)]))
        let expected: JSONValue = .object(JSONObject([(first, 1), (second, 2)]))
        #expect(CanonicalJSON.encode(object) == expected.bytes)
        #expect(first.utf16.lexicographicallyPrecedes(second.utf16))
    }

    @Test("splices bytes that are encoded already")
    func splice() {
        let value: JSONValue = ["z": .encoded(Array(#"{"raw":1}"#.utf8)), "a": [.encoded([0x31])]]
        #expect(String(decoding: CanonicalJSON.encode(value), as: UTF8.self) == #"{"a":[1],"z":{"raw":1}}"#)
        #expect(String(decoding: value.bytes, as: UTF8.self) == #"{"z":{"raw":1},"a":[1]}"#)
    }

    @Test(
        "rounds fractions to four decimals at their source",
        arguments: [
            (0.123456, "0.1235"), (2.0 / 3.0, "0.6667"), (1.0, "1"), (-0.00004, "0"), (0.1 + 0.2, "0.3"),
            (.nan, "null"),
            (.infinity, "null"), (1e300, "1e+300"), (0.8500000001, "0.85"),
        ])
    func fractions(value: Double, text: String) {
        #expect(String(decoding: JSONValue.fraction(value).bytes, as: UTF8.self) == text)
    }

    @Test("writes no NUL, whatever it is given")
    func nul() {
        #expect(JSONValue.string("a\0b").bytes == Array("\"a\u{FFFD}b\"".utf8))
    }
}

import Contracts
import Domain
import Testing

@Suite("JSON properties")
struct JSONPropertyTests {
    @Test(
        "what is written reads back as the same value, in canonical and in its own order",
        arguments: 0..<64 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<20 {
            let value = random.value(depth: 0)
            let canonical = CanonicalJSON.encode(value)
            #expect(try JSONParser.parse(canonical) == value)
            #expect(try JSONParser.parse(value.bytes) == value)
            #expect(CanonicalJSON.encode(try JSONParser.parse(value.bytes)) == canonical)
        }
    }

    @Test(
        "any prefix of a document is refused or is another whole value, and never traps",
        arguments: 0..<16 as Range<UInt64>)
    func prefixes(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let bytes = CanonicalJSON.encode(.array([random.value(depth: 0)]))
        for count in 0..<bytes.count {
            #expect(throws: JSONError.self) { try JSONParser.parse(Array(bytes[..<count])) }
        }
    }
}

extension SeededRandom {
    mutating func text() -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "\"", "\\", "\n", "\u{1}", "\u{7F}", "é", "\u{301}", "€", "\u{FFFD}", "😀", "\u{E000}",
        ]
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...6, using: &self) { scalars.append(alphabet.randomElement(using: &self) ?? "a") }
        return String(scalars)
    }

    mutating func value(depth: Int) -> JSONValue {
        switch Int.random(in: 0...(depth < 4 ? 7 : 5), using: &self) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &self))
        case 2: return .int(Int64.random(in: -JSONValue.maximumInteger...JSONValue.maximumInteger, using: &self))
        case 3: return .double(Double.random(in: -1e9...1e9, using: &self))
        case 4: return .fraction(Double.random(in: -2...2, using: &self))
        case 5: return .string(text())
        case 6: return .array((0..<Int.random(in: 0...4, using: &self)).map { _ in value(depth: depth + 1) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...6, using: &self) { object[text()] = value(depth: depth + 1) }
            return .object(object)
        }
    }
}

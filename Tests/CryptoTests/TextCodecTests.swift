import Crypto
import Testing

@Suite("Hex and base 64")
struct TextCodecTests {
    @Test(
        "base 64 agrees with RFC 4648 §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        #expect(Base64.decode(Base64.encodeURLSafe(Array(plain.utf8))) == Array(plain.utf8))
    }

    @Test("every byte survives hex, base 64 and its URL-safe form", arguments: 0...9)
    func roundTrip(length: Int) {
        let bytes = (0..<(length * 29)).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 250) }
        #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        #expect(Hex.decode(Hex.encode(bytes).uppercased()) == bytes)
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        #expect(Base64.decode(Base64.encodeURLSafe(bytes)) == bytes)
    }

    @Test(
        "refuses what is not base 64",
        arguments: ["Z", "Zg=", "Zg===", "Z g=", "Zh==", "Zm9=", "====", "Zm9vY", "Zm9v\n"])
    func refusesBase64(text: String) { #expect(Base64.decode(text) == nil) }

    @Test("refuses what is not hex", arguments: ["0", "0g", "0x10", "é0", " 00"])
    func refusesHex(text: String) { #expect(Hex.decode(text) == nil) }
}

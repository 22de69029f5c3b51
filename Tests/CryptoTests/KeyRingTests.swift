import Crypto
import Testing

@Suite("Keys and message codes")
struct KeyRingTests {
    @Test(
        "HMAC agrees with RFC 4231",
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ])
    func hmac(key: [UInt8], message: String, hex: String) {
        #expect(Hex.encode(HMACSHA256.code(for: Array(message.utf8), key: key)) == hex)
    }

    @Test(
        "compares whole values", arguments: [("", "", true), ("a", "a", true), ("a", "b", false), ("a", "ab", false)])
    func compares(one: String, other: String, equal: Bool) {
        #expect(constantTimeEquals(Array(one.utf8), Array(other.utf8)) == equal)
        #expect(constantTimeEquals(one, other) == equal)
    }

    @Test(
        "reads hex, padded base 64 and raw text",
        arguments: [
            ("00ff10", [0x00, 0xff, 0x10] as [UInt8]),
            ("00ff10\n", [0x00, 0xff, 0x10]),
            ("+/8=", [0xfb, 0xff]),
            ("-_8=", [0xfb, 0xff]),
            ("not hex!", Array("not hex!".utf8)),
            ("é", Array("é".utf8)),
        ])
    func keyTexts(text: String, bytes: [UInt8]) throws {
        #expect(try SigningKey(text: text).bytes == bytes)
    }

    @Test("refuses an empty key", arguments: ["", " ", "\n"])
    func emptyKey(text: String) {
        #expect(throws: CryptoError.self) { try KeyRing(current: text) }
    }

    @Test("verifies with the current and with a previous key, and names which")
    func rotation() throws {
        let message = Array("a receipt".utf8)
        let old = try KeyRing(current: "00112233445566778899aabbccddeeff")
        let new = try KeyRing(current: "fresh key, raw", previous: " 0badcafe , 00112233445566778899aabbccddeeff")
        #expect(new.verify(new.sign(message), of: message)?.id == new.current.id)
        #expect(new.verify(old.sign(message), of: message)?.id == old.current.id)
        #expect(old.verify(new.sign(message), of: message) == nil)
        #expect(new.verify(old.sign(message), of: message + [0]) == nil)
        #expect(new.key(named: old.current.id)?.bytes == old.current.bytes)
    }

    @Test("names a key by its hash and never prints it")
    func keyName() throws {
        let key = try SigningKey(text: "616263")
        #expect(key.id == "hmac-ba7816bf")
        #expect("\(key)" == "SigningKey(hmac-ba7816bf)")
    }

    @Test("random bytes come in the length asked for and differ")
    func random() throws {
        let one = try RandomBytes.make(16)
        #expect(one.count == 16)
        #expect(try RandomBytes.make(16) != one)
        #expect(try RandomBytes.make(0).isEmpty)
    }

    @Test(
        "no random bytes are given out twice, within a reserve and across its end",
        arguments: [8, 16, 63, 64, 65, 2000])
    func randomBytesOnce(count: Int) throws {
        let drawn = try (0..<300).map { _ in try RandomBytes.make(count) }
        #expect(drawn.allSatisfy { $0.count == count && $0.contains { $0 != 0 } })
        #expect(Set(drawn).count == drawn.count)
    }
}

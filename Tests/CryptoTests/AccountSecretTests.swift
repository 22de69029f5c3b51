import Crypto
import Testing

@Suite("Passwords, one-time passwords and API keys")
struct AccountSecretTests {
    static let cheap = PasswordHash.Cost(logN: 4, r: 1, p: 1)

    @Test("a hash matches its password and no other, and two hashes of one password differ")
    func passwords() throws {
        let hash = try PasswordHash(of: "correct horse battery", cost: Self.cheap)
        #expect(try hash.matches("correct horse battery"))
        #expect(try !hash.matches("correct horse batterz"))
        #expect(try !hash.matches(""))
        #expect(try PasswordHash(of: "correct horse battery", cost: Self.cheap).text != hash.text)
        let again = try #require(PasswordHash(hash.text))
        #expect(try again.matches("correct horse battery"))
    }

    @Test("scrypt says what another implementation says: Python's hashlib.scrypt made this hash")
    func vector() throws {
        let text = "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$o3zBilPc86r0aNumivxDqGJbs1CVkVYyLfGzVSIFS0U"
        let hash = try #require(PasswordHash(text))
        #expect(try hash.matches("pleaseletmein"))
        #expect(try !hash.matches("pleaseletmeinn"))
        #expect(hash.text == text)
    }

    @Test(
        "a stored text that is not ours is nothing",
        arguments: [
            "", "plain", "$2b$12$abcdefghijklmnopqrstuv", "$scrypt$ln=15,r=8,p=3$$", "$scrypt$ln=40,r=8,p=3$AAAA$AAAA",
            "$scrypt$ln=15,r=8,p=3$AAAAAAAAAAAAAAAAAAAAAA$AAAA", "$scrypt$n=15,r=8,p=3$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
        ])
    func refused(_ text: String) {
        #expect(PasswordHash(text) == nil)
    }

    /// RFC 6238 appendix B, the SHA-1 rows, of which ours are the last six digits.
    @Test(
        "one-time passwords are those of RFC 6238",
        arguments: [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
            (2_000_000_000, "279037"), (20_000_000_000, "353130"),
        ] as [(Int64, String)])
    func oneTimePasswords(_ seconds: Int64, _ code: String) {
        let generator = OneTimePassword(secret: Array("12345678901234567890".utf8))
        #expect(generator.code(step: OneTimePassword.step(at: seconds)) == code)
    }

    @Test("a code is good one step before and after its own, once, and never later")
    func steps() {
        let generator = OneTimePassword(secret: Array("12345678901234567890".utf8))
        let now: Int64 = 1_234_567_890
        let step = OneTimePassword.step(at: now)
        let code = generator.code(step: step)
        for distance in -1...1 {
            #expect(generator.matchingStep(code, at: now + Int64(distance) * 30, after: nil) == step)
        }
        #expect(generator.matchingStep(code, at: now + 60, after: nil) == nil)
        #expect(generator.matchingStep(code, at: now - 60, after: nil) == nil)
        #expect(generator.matchingStep(code, at: now, after: step) == nil)
        #expect(generator.matchingStep("000000", at: now, after: nil) == nil)
    }

    @Test("base 32 is that of RFC 4648")
    func base32() {
        #expect(Base32.encode(Array("foobar".utf8)) == "MZXW6YTBOI")
        #expect(Base32.encode(Array("foob".utf8)) == "MZXW6YQ")
        #expect(Base32.encode([UInt8](repeating: 0, count: 20)).count == 32)
    }

    @Test("a key reads back, and with any one character changed it is no key")
    func keys() throws {
        let key = try APIKeyText()
        #expect(key.text.hasPrefix("ara_") && key.text.utf8.count == 4 + 43 + 6)
        #expect(APIKeyText(key.text) == key)
        for index in key.text.indices {
            var changed = key.text
            changed.replaceSubrange(index...index, with: key.text[index] == "A" ? "B" : "A")
            #expect(APIKeyText(changed) == nil, "\(changed)")
        }
        #expect(APIKeyText(String(key.text.dropLast())) == nil)
        #expect(key.digest(under: [1]) != key.digest(under: [2]))
    }
}

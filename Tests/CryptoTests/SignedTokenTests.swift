import Crypto
import Testing

@Suite("Signed tokens")
struct SignedTokenTests {
    let secret = Array("service-token".utf8)

    @Test("reads what it wrote, colons in the scope included", arguments: ["", "admin", "dbt_1", "a:b:c"])
    func roundTrip(scope: String) throws {
        let token = SignedToken(scope: scope, expires: 1_900_000_000)
        let read = try SignedToken(verifying: token.text(secret: secret), secrets: [[1], secret], now: 1_900_000_000)
        #expect(read == token)
    }

    @Test("agrees with the reference: hex HMAC of scope and expiry under the token's bytes")
    func reference() {
        // python3: hmac.new(b"service-token", b"admin:1900000000", "sha256").hexdigest()
        let text = SignedToken(scope: "admin", expires: 1_900_000_000).text(secret: secret)
        #expect(text == "admin:1900000000:271ffa735558f2c98ac5e527c84508ad432363b092eb5ab20b2a89803eb0899a")
    }

    @Test("is refused one second late, with another secret, or for another scope")
    func refusals() {
        let text = SignedToken(scope: "x", expires: 100).text(secret: secret)
        #expect(throws: SignedToken.Refusal.expired) {
            try SignedToken(verifying: text, secrets: [secret], now: 101)
        }
        #expect(throws: SignedToken.Refusal.wrongCode) { try SignedToken(verifying: text, secrets: [[1]], now: 0) }
        #expect(throws: SignedToken.Refusal.wrongCode) { try SignedToken(verifying: text, secrets: [], now: 0) }
        #expect(throws: SignedToken.Refusal.wrongCode) {
            try SignedToken(verifying: "y" + text.dropFirst(), secrets: [secret], now: 0)
        }
    }

    @Test(
        "other credentials are not of this form",
        arguments: [
            "", ":", "::", "a.b.c", "ara_0123", "x:1", "x:1:zz", "x:-1:" + zeros, "x:+1:" + zeros, "x::" + zeros,
            "x:1:" + zeros + "00",
            "x:99999999999999999999:" + zeros, String(repeating: "x", count: 1025) + ":1:" + zeros,
        ])
    func malformed(text: String) {
        #expect(throws: SignedToken.Refusal.malformed) { try SignedToken(verifying: text, secrets: [secret], now: 0) }
    }
}

private let zeros = String(repeating: "0", count: 64)

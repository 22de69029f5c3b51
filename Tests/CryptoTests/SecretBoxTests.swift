import Crypto
import Testing

/// Secrets at rest.
@Suite("Secret box")
struct SecretBoxTests {
    static let (one, two) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))
    static let secret = Array("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".utf8)

    @Test("what was sealed opens again, for its purpose only, and never looks the same twice")
    func opens() throws {
        let box = try SecretBox(current: Self.one)
        let sealed = try box.seal(Self.secret, for: "webhook a")
        #expect(try box.open(sealed, for: "webhook a") == Self.secret)
        #expect(try box.seal(Self.secret, for: "webhook a") != sealed)
        #expect(sealed.count == Self.secret.count + SecretBox.overhead)
        #expect(throws: CryptoError.self) { try box.open(sealed, for: "webhook b") }
        #expect(try box.open(try box.seal([], for: ""), for: "") == [])
    }

    @Test("after a rotation the old key still opens, the new one seals, and each secret says which it needs")
    func rotation() throws {
        let old = try SecretBox(current: Self.one)
        let new = try SecretBox(current: Self.two, previous: [Self.one])
        let sealed = try old.seal(Self.secret, for: "x")
        #expect(try new.open(sealed, for: "x") == Self.secret)
        #expect(SecretBox.version(of: sealed) == old.currentVersion && old.currentVersion != new.currentVersion)
        let again = try new.seal(Self.secret, for: "x")
        #expect(SecretBox.version(of: again) == new.currentVersion)
        #expect(throws: CryptoError.self) { try old.open(again, for: "x") }
        #expect(throws: CryptoError.self) { try SecretBox(current: Self.two).open(sealed, for: "x") }
    }

    @Test("no bit of a sealed secret can be changed, and none left out")
    func changed() throws {
        let box = try SecretBox(current: Self.one)
        let sealed = try box.seal(Self.secret, for: "x")
        for index in sealed.indices {
            var other = sealed
            other[index] ^= 1
            #expect(throws: CryptoError.self) { try box.open(other, for: "x") }
            #expect(throws: CryptoError.self) { try box.open(Array(sealed[..<index]), for: "x") }
        }
    }

    @Test("a key has 32 bytes")
    func keys() {
        #expect(throws: CryptoError.self) { try SecretBox(current: Array(Self.one.dropLast())) }
        #expect(throws: CryptoError.self) { try SecretBox(current: Self.one, previous: [[]]) }
    }
}

import Crypto
import Testing

@Suite("Ed25519")
struct Ed25519Tests {
    /// RFC 8032 §7.1, tests 1 to 3.
    @Test(
        "makes and checks the signatures of RFC 8032",
        arguments: [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
            ),
        ])
    func vectors(seed: String, open: String, message: String, signature: String) throws {
        let key = try Ed25519.PrivateKey(seed: try #require(Hex.decode(seed)))
        let message = try #require(Hex.decode(message))
        #expect(Hex.encode(key.publicKey.bytes) == open)
        #expect(Hex.encode(key.sign(message)) == signature)
        var bytes = try #require(Hex.decode(signature))
        #expect(key.publicKey.isValid(bytes, of: message))
        #expect(!key.publicKey.isValid(bytes, of: message + [0]))
        bytes[63] ^= 0x10
        #expect(!key.publicKey.isValid(bytes, of: message))
        #expect(!key.publicKey.isValid([], of: message))
    }

    @Test("a public key is read from PEM, hex and base 64, and from nothing else")
    func texts() throws {
        let key = try Ed25519.PrivateKey(seed: Array(0..<32)).publicKey
        for text in [key.pem, "\n" + key.pem, Hex.encode(key.bytes), Base64.encode(key.bytes) + "\n"] {
            #expect(try Ed25519.PublicKey(text: text) == key, "\(text)")
        }
        for text in [
            "", "abc", Hex.encode(Array(key.bytes.dropLast())),
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ] {
            #expect(throws: CryptoError.self) { try Ed25519.PublicKey(text: text) }
        }
        #expect(key.id == "ed25519-" + Hex.encode(Array(SHA256.hash(key.bytes)[..<8])))
    }

    @Test("every secret key has a pair of its own, the same everywhere, and an older one's still verifies")
    func derived() throws {
        let old = try KeyRing(current: "00112233445566778899aabbccddeeff")
        let again = try KeyRing(current: "00112233445566778899aabbccddeeff")
        #expect(old.pairs.publicKeys == again.pairs.publicKeys)
        let rotated = try KeyRing(current: "another secret", previous: "00112233445566778899aabbccddeeff")
        #expect(rotated.pairs.publicKeys.count == 2)
        #expect(rotated.pairs.publicKeys[1] == old.pairs.current.publicKey)
        let seed = Hex.encode(Array(repeating: 7, count: 32))
        let chosen = try KeyRing(current: "another secret", seed: seed, previousSeeds: " \(seed),")
        #expect(
            chosen.pairs.current.publicKey.bytes
                == (try Ed25519.PrivateKey(seed: Array(repeating: 7, count: 32))).publicKey.bytes)
        #expect(chosen.pairs.publicKeys.last == rotated.pairs.current.publicKey, "what was signed before it was chosen")
        #expect(throws: CryptoError.self) { try KeyRing(current: "another secret", seed: "short") }
        #expect(!"\(chosen.pairs.current)".contains(seed))
    }
}

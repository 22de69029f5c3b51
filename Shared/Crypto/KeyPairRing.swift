/// The seed that signs for the public, and every public key under which older signatures still verify.
package struct KeyPairRing: Sendable {
    /// Signs.
    package let current: Ed25519.PrivateKey
    /// Verify, the current one first; what is published.
    package let publicKeys: [Ed25519.PublicKey]

    package init(current: Ed25519.PrivateKey, previous: [Ed25519.PublicKey] = []) {
        self.current = current
        var keys = [current.publicKey]
        for key in previous where !keys.contains(key) { keys.append(key) }
        publicKeys = keys
    }

    /// The pair that belongs to a secret key: its seed is the HMAC-SHA256 of a fixed text under it, so that whoever has
    /// the secret has the pair, on every replica and after every restore, without another thing to store.
    package static func derived(from secret: SigningKey) -> Ed25519.PrivateKey {
        let seed = HMACSHA256.code(for: Array("aragora ed25519 seed v1".utf8), key: secret.bytes)
        guard let key = try? Ed25519.PrivateKey(seed: seed) else { preconditionFailure("32 bytes are a seed") }
        return key
    }

    /// Reads a seed: 64 hex digits or base 64 of 32 bytes.
    /// - Throws: ``CryptoError`` `.invalidKey`.
    package static func privateKey(text: String) throws(CryptoError) -> Ed25519.PrivateKey {
        let digits = text.filter { !$0.isWhitespace }
        guard let seed = Hex.decode(digits) ?? Base64.decode(digits) else {
            throw CryptoError(.invalidKey, "a seed is 64 hex digits or base 64 of 32 bytes")
        }
        return try Ed25519.PrivateKey(seed: seed)
    }
}

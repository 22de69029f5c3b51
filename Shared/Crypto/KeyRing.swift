/// The key that signs and the keys that still verify, so that a key can be changed while old signatures stay good.
package struct KeyRing: Sendable {
    /// Signs, and is tried first.
    package let current: SigningKey
    /// Verify only, in this order.
    package let previous: [SigningKey]
    /// Signs for those who do not have the secret keys.
    package let pairs: KeyPairRing

    /// - Parameters:
    ///   - pair: signs for the public; nil for the one that is derived from `current`.
    ///   - previousPairs: whose public keys verify beside those derived from all the secret keys.
    package init(
        current: SigningKey, previous: [SigningKey] = [], pair: Ed25519.PrivateKey? = nil,
        previousPairs: [Ed25519.PrivateKey] = []
    ) {
        self.current = current
        self.previous = previous
        let derived = ([current] + previous).map { KeyPairRing.derived(from: $0) }
        pairs = KeyPairRing(
            current: pair ?? derived[0], previous: (previousPairs + derived).map(\.publicKey))
    }

    /// Reads key texts as ``SigningKey/init(text:)`` does; `previous` is a comma-separated list, spaces ignored.
    ///
    /// - Parameters:
    ///   - seed: of the pair, as ``KeyPairRing/privateKey(text:)`` reads it; nil derives it.
    ///   - previousSeeds: a comma-separated list.
    /// - Throws: ``CryptoError`` `.invalidKey` when the current text is empty, or a seed is none.
    package init(
        current: String, previous: String = "", seed: String? = nil, previousSeeds: String = ""
    ) throws(CryptoError) {
        var older: [SigningKey] = []
        for text in Self.list(previous) { older.append(try SigningKey(text: text)) }
        var olderPairs: [Ed25519.PrivateKey] = []
        for text in Self.list(previousSeeds) { olderPairs.append(try KeyPairRing.privateKey(text: text)) }
        var pair: Ed25519.PrivateKey?
        if let seed { pair = try KeyPairRing.privateKey(text: seed) }
        self.init(current: try SigningKey(text: current), previous: older, pair: pair, previousPairs: olderPairs)
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").filter { !$0.allSatisfy(\.isWhitespace) }.map { String($0) }
    }

    /// The HMAC-SHA256 of `message` under the current key: 32 bytes.
    package func sign(_ message: [UInt8]) -> [UInt8] {
        HMACSHA256.code(for: message, key: current.bytes)
    }

    /// The key under which `signature` is the code of `message`, current first; nil when there is none.
    package func verify(_ signature: [UInt8], of message: [UInt8]) -> SigningKey? {
        ([current] + previous).first { HMACSHA256.isValid(signature, for: message, key: $0.bytes) }
    }

    /// The key of this name, nil when the ring has none: tells "unknown key" from "wrong signature".
    package func key(named id: String) -> SigningKey? {
        ([current] + previous).first { $0.id == id }
    }
}

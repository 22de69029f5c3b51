/// The key that signs and the keys that still verify, so that a key can be changed while old signatures stay good.
package struct KeyRing: Sendable {
    /// Signs, and is tried first.
    package let current: SigningKey
    /// Verify only, in this order.
    package let previous: [SigningKey]

    package init(current: SigningKey, previous: [SigningKey] = []) {
        self.current = current
        self.previous = previous
    }

    /// Reads key texts as ``SigningKey/init(text:)`` does; `previous` is a comma-separated list, spaces ignored.
    /// - Throws: ``CryptoError`` `.invalidKey` when the current text is empty.
    package init(current: String, previous: String = "") throws(CryptoError) {
        var older: [SigningKey] = []
        for text in previous.split(separator: ",") where !text.allSatisfy(\.isWhitespace) {
            older.append(try SigningKey(text: String(text)))
        }
        self.init(current: try SigningKey(text: current), previous: older)
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

import Crypto

/// Signatures as Standard Webhooks has them: `v1,` and base 64 of HMAC-SHA256 over id, time and body.
package enum WebhookSignature {
    /// Before a secret's base 64.
    package static let prefix = "whsec_"

    /// - Parameters:
    ///   - message: the id that all attempts share.
    ///   - timestamp: Unix seconds of this attempt.
    package static func sign(_ body: [UInt8], message: String, timestamp: Int64, secret: [UInt8]) -> String {
        let signed = Array("\(message).\(timestamp).".utf8) + body
        return "v1," + Base64.encode(HMACSHA256.code(for: signed, key: secret))
    }

    /// The text that a receiver is given.
    package static func text(of secret: [UInt8]) -> String { prefix + Base64.encode(secret) }

    /// The bytes of a secret's text, with or without its prefix; nil when it is none of a length that is safe.
    package static func secret(_ text: String, in length: ClosedRange<Int>) -> [UInt8]? {
        let encoded = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
        guard let bytes = Base64.decode(encoded), length.contains(bytes.count) else { return nil }
        return bytes
    }
}

import CLibCrypto

/// Time-based one-time passwords (RFC 6238) with SHA-1, six digits and steps of 30 seconds: what every authenticator
/// program understands.
package struct OneTimePassword: Sendable {
    package static let secretBytes = 20
    package static let digits = 6
    package static let stepSeconds: Int64 = 30
    /// Steps before and after the present one that are taken too: clocks differ, and people type slowly.
    package static let tolerance: Int64 = 1

    private let secret: [UInt8]

    package init(secret: [UInt8]) { self.secret = secret }

    /// The step that a time, in seconds since 1970, lies in.
    package static func step(at seconds: Int64) -> Int64 { seconds / stepSeconds }

    /// The password of one step.
    package func code(step: Int64) -> String {
        let counter = (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - 8 * $0)) }
        let mac = Self.hmacSHA1(counter, key: secret)
        let offset = Int(mac[19] & 15)
        let number = mac[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let text = String(number % 1_000_000)
        return String(repeating: "0", count: Self.digits - text.count) + text
    }

    /// The step of which `code` is the password, near `seconds` and later than `last`; nil when there is none.
    ///
    /// A step is good once (RFC 6238 §5.2): whoever takes a code stores its step and gives it here as `last`.
    package func matchingStep(_ code: String, at seconds: Int64, after last: Int64?) -> Int64? {
        let now = Self.step(at: seconds)
        // No early exit: which step matched must not show in the time.
        return ((now - Self.tolerance)...(now + Self.tolerance)).reduce(Int64?.none) { found, step in
            let isSame = constantTimeEquals(self.code(step: step), code)
            return isSame && step > last ?? .min ? step : found
        }
    }

    private static func hmacSHA1(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
            var written: UInt32 = 0
            let made = unsafe HMAC(
                EVP_sha1(), key, Int32(key.count), message, message.count, buffer.baseAddress, &written)
            precondition(unsafe made != nil && written == 20, "the default provider has HMAC-SHA1")
            count = 20
        }
    }
}

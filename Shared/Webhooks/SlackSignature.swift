import Crypto

/// Signatures of Slack's requests (`v0`): HMAC-SHA256 over version, time and body, in hex.
package enum SlackSignature {
    /// A request that is older, or so much ahead, is not looked at.
    package static let window: Int64 = 300

    package enum Verdict: Sendable, Equatable { case valid, stale, invalid }

    package static func sign(_ body: [UInt8], timestamp: String, secret: [UInt8]) -> String {
        "v0=" + Hex.encode(HMACSHA256.code(for: Array("v0:\(timestamp):".utf8) + body, key: secret))
    }

    /// - Parameters:
    ///   - timestamp: `X-Slack-Request-Timestamp` as it came.
    ///   - now: Unix seconds.
    package static func check(
        _ signature: String, _ body: [UInt8], timestamp: String, secret: [UInt8], now: Int64
    ) -> Verdict {
        // Compared, not subtracted: the number is whatever somebody sent.
        guard let time = Int64(timestamp), (now - window...now + window).contains(time) else { return .stale }
        let expected = sign(body, timestamp: timestamp, secret: secret)
        return constantTimeEquals(Array(signature.utf8), Array(expected.utf8)) ? .valid : .invalid
    }
}

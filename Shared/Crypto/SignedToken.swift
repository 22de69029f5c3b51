/// A bearer token that carries its own proof: `scope:expires:code`, where `code` is the lower-case hex HMAC-SHA256 of
/// `scope:expires` (contract §2.1 item 3).
///
/// The scope may contain colons: the text is split at its last two.
package struct SignedToken: Sendable, Equatable {
    /// The longest token that is looked at, in bytes.
    package static let maximumBytes = 1024

    /// Why a token is not taken.
    package enum Refusal: Error, Sendable, Equatable {
        /// Not of this form; another kind of credential may still fit.
        case malformed
        case wrongCode
        case expired
    }

    /// What the token opens; empty for everything its kind may open.
    package let scope: String
    /// Seconds since 1970; the token is good up to and including this second.
    package let expires: Int64

    package init(scope: String, expires: Int64) {
        self.scope = scope
        self.expires = expires
    }

    /// The token's text, signed with `secret`.
    package func text(secret: [UInt8]) -> String {
        let message = "\(scope):\(expires)"
        return message + ":" + Hex.encode(HMACSHA256.code(for: Array(message.utf8), key: secret))
    }

    /// Reads a token and proves it under any of `secrets`, each compared in constant time.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Throws: ``Refusal``; `.expired` only for a token that we signed.
    package init(verifying text: String, secrets: [[UInt8]], now: Int64) throws(Refusal) {
        guard let (message, code, expires) = Self.split(Array(text.utf8)) else { throw .malformed }
        guard secrets.contains(where: { HMACSHA256.isValid(code, for: message, key: $0) }) else { throw .wrongCode }
        guard now <= expires else { throw .expired }
        let scopeEnd = message.lastIndex(of: UInt8(ascii: ":")) ?? message.endIndex
        self.init(scope: String(decoding: message[..<scopeEnd], as: UTF8.self), expires: expires)
    }

    /// Names a token in the list of revoked ones without storing it: lower-case hex SHA-256 of its text.
    package static func fingerprint(of text: String) -> String { Hex.encode(SHA256.hash(text)) }

    private static func split(_ bytes: [UInt8]) -> (message: [UInt8], code: [UInt8], expires: Int64)? {
        let colon = UInt8(ascii: ":")
        guard bytes.count <= maximumBytes, let last = bytes.lastIndex(of: colon) else { return nil }
        let message = bytes[..<last]
        guard let middle = message.lastIndex(of: colon) else { return nil }
        let seconds = String(decoding: message[(middle + 1)...], as: UTF8.self)
        guard let expires = Int64(seconds), expires >= 0, seconds.utf8.allSatisfy({ (48...57).contains($0) }),
            let code = Hex.decode(String(decoding: bytes[(last + 1)...], as: UTF8.self)),
            code.count == HMACSHA256.length
        else { return nil }
        return (Array(message), code, expires)
    }
}

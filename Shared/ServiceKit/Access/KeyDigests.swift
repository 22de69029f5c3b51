package import Crypto

/// What is stored instead of keys, reset tokens and backup codes: their codes under a key that is in no database.
package struct KeyDigests: Sendable {
    /// The present one first.
    private let keys: [[UInt8]]

    /// - Precondition: there is a key.
    init(keys: [[UInt8]]) {
        precondition(!keys.isEmpty, "digests are made under something")
        self.keys = keys
    }

    /// The digests of an API key, the one to store first.
    package func ofKey(_ key: APIKeyText) -> [[UInt8]] { keys.map { key.digest(under: $0) } }

    /// The digests of a token or code for one purpose, the one to store first.
    package func of(_ text: String, for purpose: String) -> [[UInt8]] {
        keys.map { HMACSHA256.code(for: Array("\(purpose):\(text)".utf8), key: $0) }
    }
}

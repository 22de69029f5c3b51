/// The text of an API key: `ara_`, 256 random bits, and a checksum that tells a typing error from a wrong key without
/// a database.
package struct APIKeyText: Sendable, Equatable {
    package static let start = "ara_"
    /// Characters that are shown in lists, after ``start``.
    package static let prefixCharacters = 8
    private static let bodyCharacters = 43
    private static let checkCharacters = 6

    package let text: String

    /// A new key.
    /// - Throws: ``CryptoError`` `.libraryFailure` without randomness.
    package init() throws(CryptoError) {
        let body = Base64.encodeURLSafe(try RandomBytes.make(32))
        text = Self.start + body + Self.check(of: body)
    }

    /// - Returns: nil unless the text has the form of a key and its checksum is right.
    package init?(_ text: String) {
        guard text.utf8.count == Self.start.utf8.count + Self.bodyCharacters + Self.checkCharacters,
            text.hasPrefix(Self.start)
        else { return nil }
        let body = text.dropFirst(Self.start.count).prefix(Self.bodyCharacters)
        guard Base64.decode(body)?.count == 32, text.hasSuffix(Self.check(of: String(body))) else { return nil }
        self.text = text
    }

    /// What lists show of it.
    package var prefix: String { String(text.prefix(Self.start.count + Self.prefixCharacters)) }

    /// What is stored of it: its code under the installation's own key, so that a stolen table opens nothing.
    package func digest(under key: [UInt8]) -> [UInt8] { HMACSHA256.code(for: Array(text.utf8), key: key) }

    private static func check(of body: String) -> String {
        String(Base64.encodeURLSafe(SHA256.hash("aragora api key:" + body)).prefix(checkCharacters))
    }
}

/// A secret key for message codes. Its text never appears in a description or a log.
package struct SigningKey: Sendable, CustomStringConvertible {
    /// The key's bytes; for this module's users that hash with it.
    package let bytes: [UInt8]
    /// `hmac-` and the first 8 hex digits of the key's SHA-256: names the key without telling it.
    package let id: String

    /// Reads hex, else padded base 64 of either alphabet, else takes the UTF-8 bytes as they are.
    ///
    /// Base 64 must have its padding: an unpadded text can not be told from a passphrase.
    /// - Throws: ``CryptoError`` `.invalidKey` for an empty text.
    package init(text: String) throws(CryptoError) {
        let text = Self.trimmed(text)
        guard !text.isEmpty else { throw CryptoError(.invalidKey, "the key is empty") }
        if let bytes = Hex.decode(text) {
            self.init(bytes: bytes)
        } else if text.utf8.count.isMultiple(of: 4), let bytes = Base64.decode(text) {
            self.init(bytes: bytes)
        } else {
            self.init(bytes: Array(text.utf8))
        }
    }

    /// Takes the bytes as they are.
    package init(bytes: [UInt8]) {
        self.bytes = bytes
        self.id = "hmac-" + Hex.encode(Array(SHA256.hash(bytes)[..<4]))
    }

    package var description: String { "SigningKey(\(id))" }

    /// A key file ends in a newline more often than not.
    private static func trimmed(_ text: String) -> Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\r\n" || $0 == "\r" }
        let head = text.drop(while: isSpace)
        return head.dropLast(head.reversed().prefix(while: isSpace).count)
    }
}

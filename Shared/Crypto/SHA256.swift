/// SHA-256 (FIPS 180-4), in one call or in pieces.
package struct SHA256: ~Copyable {
    /// Bytes of a digest.
    package static let length = 32

    private var digest = Digest(.sha256)

    package init() {}

    /// Adds bytes; pieces hash as their concatenation.
    package mutating func update(_ bytes: [UInt8]) { digest.update(bytes) }

    /// Adds the UTF-8 bytes of a text.
    package mutating func update(_ text: String) { update(Array(text.utf8)) }

    /// Ends the hash: 32 bytes.
    package consuming func finish() -> [UInt8] { digest.finish(length: Self.length) }

    /// The 32-byte hash of the concatenation of `pieces`, without making it.
    package static func hash(_ pieces: [UInt8]...) -> [UInt8] {
        var digest = Digest(.sha256)
        for piece in pieces { digest.update(piece) }
        return digest.finish(length: length)
    }

    /// The 32-byte hash of a text's UTF-8 bytes.
    package static func hash(_ text: String) -> [UInt8] { hash(Array(text.utf8)) }
}

/// SHA-1, for the WebSocket handshake alone (RFC 6455 §4.2.2): nothing that must resist an attacker uses it.
package enum SHA1 {
    /// The 20-byte hash.
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = Digest(.sha1)
        digest.update(bytes)
        return digest.finish(length: 20)
    }
}

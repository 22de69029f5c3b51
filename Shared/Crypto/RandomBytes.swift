import CLibCrypto

/// Bytes nobody can predict, from OpenSSL's generator (seeded by the kernel, safe across threads and forks).
package enum RandomBytes {
    /// `count` fresh bytes.
    /// - Throws: ``CryptoError`` `.libraryFailure` when the generator could not be seeded.
    package static func make(_ count: Int) throws(CryptoError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe RAND_bytes(&bytes, Int32(count)) == 1 else {
            throw CryptoError(.libraryFailure, "no randomness from the library")
        }
        return bytes
    }
}

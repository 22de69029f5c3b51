import CLibCrypto
import Platform

/// Bytes nobody can predict, from OpenSSL's generator, seeded by the kernel. From any thread.
///
/// Small amounts come from a reserve that is filled in one call: the generator's own work is the same for 16 bytes as
/// for a thousand. A process that forks must execute another program, as all children here do.
package enum RandomBytes {
    static let reserveBytes = 1024
    /// More than this is made directly.
    static let maxReservedBytes = 64

    private static let reserve = Lock<[UInt8]>([])

    /// `count` fresh bytes.
    /// - Throws: ``CryptoError`` `.libraryFailure` when the generator could not be seeded.
    package static func make(_ count: Int) throws(CryptoError) -> [UInt8] {
        guard count <= maxReservedBytes else { return try generate(count) }
        return try reserve.withLock { reserve throws(CryptoError) in
            if reserve.count < count { reserve = try generate(reserveBytes) }
            let taken = Array(reserve.suffix(count))
            // Given out once, and then nowhere in memory but with the caller.
            for index in (reserve.count - count)..<reserve.count { reserve[index] = 0 }
            reserve.removeLast(count)
            return taken
        }
    }

    private static func generate(_ count: Int) throws(CryptoError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe RAND_bytes(&bytes, Int32(count)) == 1 else {
            throw CryptoError(.libraryFailure, "no randomness from the library")
        }
        return bytes
    }
}

import CLibCrypto

/// HMAC with SHA-256 (RFC 2104).
package enum HMACSHA256 {
    /// Bytes of a code.
    package static let length = 32

    /// The 32-byte code of `message` under `key`, which may have any length.
    package static func code(for message: [UInt8], key: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            var written: UInt32 = 0
            let made = unsafe HMAC(
                EVP_sha256(), key, Int32(key.count), message, message.count, buffer.baseAddress, &written)
            precondition(unsafe made != nil && Int(written) == length, "the default provider has HMAC-SHA256")
            count = length
        }
    }

    /// Whether `code` is the code of `message` under `key`; takes the same time wherever they differ.
    package static func isValid(_ code: [UInt8], for message: [UInt8], key: [UInt8]) -> Bool {
        constantTimeEquals(code, HMACSHA256.code(for: message, key: key))
    }
}

/// Compares two secrets of public length: the time taken says nothing about where they differ.
package func constantTimeEquals(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return unsafe CRYPTO_memcmp(one, other, one.count) == 0
}

/// Compares two texts by their UTF-8 bytes, in the same time wherever they differ.
///
/// Their hashes are compared, so that the time does not tell the length of the secret either.
package func constantTimeEquals(_ one: String, _ other: String) -> Bool {
    constantTimeEquals(SHA256.hash(one), SHA256.hash(other))
}

import CLibCrypto

/// Seals secrets that we store and must read again: webhook secrets, tokens of others, second factors.
///
/// AES-256-GCM. A sealed secret is `1 ‖ version of the key (4 bytes) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`, so that after a
/// rotation it says which key opens it. The purpose is authenticated with it: what was sealed for one row opens for no other.
package struct SecretBox: Sendable {
    /// Bytes of a key.
    package static let keyLength = 32
    /// Bytes that sealing adds.
    package static let overhead = 1 + versionLength + nonceLength + tagLength
    private static let form: UInt8 = 1
    private static let versionLength = 4
    private static let nonceLength = 12
    private static let tagLength = 16

    private struct Key: Sendable {
        let bytes: [UInt8]
        /// Of the key's hash: the same in every process, and says nothing about it.
        var version: ArraySlice<UInt8> { SHA256.hash(Array("aragora key version".utf8) + bytes).prefix(versionLength) }
    }

    /// The current one first.
    private let keys: [Key]

    /// - Parameters:
    ///   - current: seals, 32 bytes.
    ///   - previous: only open.
    /// - Throws: ``CryptoError`` `.invalidKey` for a key of another length.
    package init(current: [UInt8], previous: [[UInt8]] = []) throws(CryptoError) {
        let all = [current] + previous
        guard all.allSatisfy({ $0.count == Self.keyLength }) else {
            throw CryptoError(.invalidKey, "an encryption key has \(Self.keyLength) bytes")
        }
        keys = all.map(Key.init)
    }

    /// The version of the key that seals, 8 hex digits.
    package var currentVersion: String { Hex.encode(Array(keys[0].version)) }

    /// The versions of all keys that open, the one that seals first.
    package var versions: [String] { keys.map { Hex.encode(Array($0.version)) } }

    /// The same secret under the current key.
    /// - Throws: ``CryptoError`` `.unreadable` when no key of the box opens it for this purpose.
    package func reseal(_ sealed: [UInt8], for purpose: String) throws(CryptoError) -> [UInt8] {
        try seal(try open(sealed, for: purpose), for: purpose)
    }

    /// The version of the key that sealed this; nil when it is no sealed secret.
    package static func version(of sealed: [UInt8]) -> String? {
        guard sealed.count >= overhead, sealed[0] == form else { return nil }
        return Hex.encode(Array(sealed[1..<1 + versionLength]))
    }

    /// Seals under the current key.
    /// - Parameter purpose: where it belongs, such as `webhook whk_…`; needed to open it.
    /// - Throws: ``CryptoError`` `.libraryFailure`.
    package func seal(_ plain: [UInt8], for purpose: String) throws(CryptoError) -> [UInt8] {
        let head = [Self.form] + keys[0].version
        let nonce = try RandomBytes.make(Self.nonceLength)
        let additional = head + Array(purpose.utf8)
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw Self.failure }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        var (length, out) = (Int32(0), [UInt8](repeating: 0, count: plain.count))
        var tag = [UInt8](repeating: 0, count: Self.tagLength)
        guard unsafe EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, keys[0].bytes, nonce) == 1,
            unsafe EVP_EncryptUpdate(context, nil, &length, additional, Int32(additional.count)) == 1,
            unsafe EVP_EncryptUpdate(context, &out, &length, plain, Int32(plain.count)) == 1,
            unsafe EVP_EncryptFinal_ex(context, nil, &length) == 1,
            unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), &tag) == 1
        else { throw Self.failure }
        return head + nonce + out + tag
    }

    /// Opens what was sealed for this purpose, under any key of the box.
    /// - Throws: ``CryptoError`` `.unreadable` when the key is not here, the purpose is another, or a bit was changed.
    package func open(_ sealed: [UInt8], for purpose: String) throws(CryptoError) -> [UInt8] {
        guard sealed.count >= Self.overhead, sealed[0] == Self.form else {
            throw CryptoError(.unreadable, "this is no sealed secret")
        }
        let head = sealed[..<(1 + Self.versionLength)]
        guard let key = keys.first(where: { $0.version.elementsEqual(head.dropFirst()) }) else {
            throw CryptoError(.unreadable, "the key that sealed it is not among those set")
        }
        let nonce = Array(sealed[head.count..<(head.count + Self.nonceLength)])
        let cipher = Array(sealed[(head.count + Self.nonceLength)..<(sealed.count - Self.tagLength)])
        var tag = Array(sealed.suffix(Self.tagLength))
        let additional = Array(head) + Array(purpose.utf8)
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw Self.failure }
        defer {
            unsafe EVP_CIPHER_CTX_free(context)
            ERR_clear_error()
        }
        var (length, out) = (Int32(0), [UInt8](repeating: 0, count: cipher.count))
        guard unsafe EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key.bytes, nonce) == 1,
            unsafe EVP_DecryptUpdate(context, nil, &length, additional, Int32(additional.count)) == 1,
            unsafe EVP_DecryptUpdate(context, &out, &length, cipher, Int32(cipher.count)) == 1,
            unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), &tag) == 1,
            unsafe EVP_DecryptFinal_ex(context, nil, &length) == 1
        else { throw CryptoError(.unreadable, "it was changed, or belongs elsewhere") }
        return out
    }

    private static var failure: CryptoError { CryptoError(.libraryFailure, "AES-256-GCM is not to be had") }
}

import CLibCrypto

/// Ed25519 (RFC 8032): signatures that anyone can check, and only the holder of the seed can make.
package enum Ed25519 {
    /// Bytes of a seed, and of a public key.
    package static let keyLength = 32
    /// Bytes of a signature.
    package static let signatureLength = 64

    /// What checks signatures.
    package struct PublicKey: Sendable, Hashable, CustomStringConvertible {
        /// 32 bytes.
        package let bytes: [UInt8]
        /// `ed25519-` and the first 16 hex digits of the key's SHA-256: the same in every process, for ever.
        package let id: String

        /// - Throws: ``CryptoError`` `.invalidKey` for another length.
        package init(bytes: [UInt8]) throws(CryptoError) {
            guard bytes.count == keyLength else { throw CryptoError(.invalidKey, "a public key has 32 bytes") }
            self.bytes = bytes
            id = "ed25519-" + Hex.encode(Array(SHA256.hash(bytes)[..<8]))
        }

        /// Whether `signature` was made over `message` by the holder of the seed.
        package func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
            guard signature.count == signatureLength else { return false }
            defer { ERR_clear_error() }
            guard let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
                return false
            }
            defer { unsafe EVP_PKEY_free(key) }
            guard let context = unsafe EVP_MD_CTX_new() else { return false }
            defer { unsafe EVP_MD_CTX_free(context) }
            guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
            return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        }

        /// The key as others read it: SubjectPublicKeyInfo in PEM form (RFC 8410).
        package var pem: String {
            "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(Self.prefix + bytes))\n-----END PUBLIC KEY-----\n"
        }

        /// Reads PEM as ``pem`` writes it, 64 hex digits, or base 64 of 32 bytes.
        /// - Throws: ``CryptoError`` `.invalidKey` for anything else.
        package init(text: String) throws(CryptoError) {
            let lines = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let (head, tail) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")
            if lines.hasPrefix(head), lines.hasSuffix(tail) {
                let body = lines.dropFirst(head.count).dropLast(tail.count).filter { $0 != " " }
                guard let decoded = Base64.decode(body), decoded.starts(with: Self.prefix) else {
                    throw CryptoError(.invalidKey, "this is no public key of Ed25519")
                }
                try self.init(bytes: Array(decoded.dropFirst(Self.prefix.count)))
            } else if let decoded = Hex.decode(lines) ?? Base64.decode(lines) {
                try self.init(bytes: decoded)
            } else {
                throw CryptoError(.invalidKey, "a public key is PEM, 64 hex digits or base 64")
            }
        }

        package var description: String { id }

        /// What precedes the 32 bytes of every Ed25519 key (RFC 8410 §4).
        private static let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
    }

    /// What makes signatures. Its seed never appears in a description or a log.
    package struct PrivateKey: Sendable, CustomStringConvertible {
        private let seed: [UInt8]
        package let publicKey: PublicKey

        /// - Parameter seed: 32 bytes that nobody can guess.
        /// - Throws: ``CryptoError`` `.invalidKey` for another length.
        package init(seed: [UInt8]) throws(CryptoError) {
            guard seed.count == keyLength else { throw CryptoError(.invalidKey, "a seed has 32 bytes") }
            guard let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
                throw CryptoError(.libraryFailure, "no key from the seed")
            }
            defer { unsafe EVP_PKEY_free(key) }
            var bytes = [UInt8](repeating: 0, count: keyLength)
            var length = bytes.count
            guard unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &length) == 1 else {
                throw CryptoError(.libraryFailure, "no public key from the seed")
            }
            self.seed = seed
            publicKey = try PublicKey(bytes: bytes)
        }

        /// The signature of `message`, 64 bytes; the same message gives the same bytes.
        package func sign(_ message: [UInt8]) -> [UInt8] {
            guard let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count),
                let context = unsafe EVP_MD_CTX_new()
            else { preconditionFailure("out of memory: no signing context") }
            defer {
                unsafe EVP_PKEY_free(key)
                unsafe EVP_MD_CTX_free(context)
            }
            var signature = [UInt8](repeating: 0, count: signatureLength)
            var length = signature.count
            let started = unsafe EVP_DigestSignInit(context, nil, nil, nil, key)
            let made = unsafe EVP_DigestSign(context, &signature, &length, message, message.count)
            precondition(started == 1 && made == 1 && length == signatureLength, "a valid seed always signs")
            return signature
        }

        package var description: String { "PrivateKey(\(publicKey.id))" }
    }
}

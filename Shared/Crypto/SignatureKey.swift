import CLibCrypto

/// A public key of somebody else's, of a kind that signs JSON Web Tokens: RSA for RS256, P-256 for ES256 (RFC 7518 §3).
///
/// What signs how is fixed by the kind of key: a token can not choose.
package struct SignatureKey: Sendable {
    package enum Algorithm: String, Sendable, CaseIterable { case rs256 = "RS256", es256 = "ES256" }

    /// Bits of an RSA modulus that are taken: fewer are weak, more cost us too much.
    package static let rsaBits = 2048...8192

    package let algorithm: Algorithm
    /// SubjectPublicKeyInfo, DER.
    private let info: [UInt8]

    /// An RSA key.
    /// - Parameters:
    ///   - modulus: big endian.
    ///   - exponent: big endian, odd, at most 64 bits.
    /// - Throws: ``CryptoError`` `.invalidKey`.
    package init(rsaModulus modulus: [UInt8], exponent: [UInt8]) throws(CryptoError) {
        let (n, e) = (Array(modulus.drop { $0 == 0 }), Array(exponent.drop { $0 == 0 }))
        let bits = n.first.map { n.count * 8 - $0.leadingZeroBitCount } ?? 0
        guard Self.rsaBits.contains(bits), let last = e.last, e.count <= 8, last & 1 == 1, e != [1] else {
            throw CryptoError(.invalidKey, "an RSA key of \(bits) bits, or with this exponent, is not taken")
        }
        algorithm = .rs256
        let key = DER.sequence(DER.integer(n) + DER.integer(e))
        info = DER.sequence(DER.sequence(Self.rsa + [0x05, 0x00]) + DER.bitString(key))
        try check()
    }

    /// A point of P-256.
    /// - Throws: ``CryptoError`` `.invalidKey`, also for what is no point of the curve.
    package init(p256X x: [UInt8], y: [UInt8]) throws(CryptoError) {
        guard x.count == 32, y.count == 32 else { throw CryptoError(.invalidKey, "P-256 has coordinates of 32 bytes") }
        algorithm = .es256
        info = DER.sequence(DER.sequence(Self.ec + Self.p256) + DER.bitString([0x04] + x + y))
        try check()
    }

    private static let rsa: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
    private static let ec: [UInt8] = [0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
    private static let p256: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]

    private func check() throws(CryptoError) {
        guard OpenedKey(info) != nil else { throw CryptoError(.invalidKey, "OpenSSL does not take the key") }
    }

    /// Whether `signature` was made over `message` with the private half: PKCS #1 v1.5 for RSA, r ‖ s for P-256, SHA-256.
    package func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let key = OpenedKey(info), let encoded = encoded(signature) else { return false }
        return key.verify(encoded, message)
    }

    /// As OpenSSL wants it.
    private func encoded(_ signature: [UInt8]) -> [UInt8]? {
        switch algorithm {
        case .rs256: return signature
        case .es256:
            guard signature.count == 64 else { return nil }
            return DER.sequence(DER.integer(Array(signature[..<32])) + DER.integer(Array(signature[32...])))
        }
    }
}

/// Sole owner of a key as OpenSSL has it; lives inside one call.
@safe private struct OpenedKey: ~Copyable {
    private let raw: OpaquePointer

    init?(_ info: [UInt8]) {
        defer { ERR_clear_error() }
        let opened: OpaquePointer? = unsafe info.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_PUBKEY(nil, &cursor, buffer.count)
        }
        guard let opened = unsafe opened else { return nil }
        unsafe raw = unsafe opened
    }

    deinit { unsafe EVP_PKEY_free(raw) }

    func verify(_ signature: [UInt8], _ message: [UInt8]) -> Bool {
        defer { ERR_clear_error() }
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, raw) == 1 else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}

/// The few forms of ASN.1 that a public key and an ECDSA signature need.
private enum DER {
    static func sequence(_ content: [UInt8]) -> [UInt8] { [0x30] + length(content.count) + content }
    static func bitString(_ content: [UInt8]) -> [UInt8] { [0x03] + length(content.count + 1) + [0] + content }

    /// Not negative, big endian.
    static func integer(_ bytes: [UInt8]) -> [UInt8] {
        var value = Array(bytes.drop { $0 == 0 })
        if value.isEmpty || value[0] >= 0x80 { value.insert(0, at: 0) }
        return [0x02] + length(value.count) + value
    }

    private static func length(_ count: Int) -> [UInt8] {
        guard count >= 0x80 else { return [UInt8(count)] }
        var bytes: [UInt8] = []
        var rest = count
        while rest > 0 {
            bytes.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [0x80 | UInt8(bytes.count)] + bytes
    }
}

import CLibCrypto
package import Contracts
import Crypto

/// The private half of a key pair of somebody else's, made for one test: signs JSON Web Tokens right or wrong.
package final class TokenSigner: @unchecked Sendable {  // OpenSSL's key is only read after it was made
    package enum Kind: Sendable {
        case rsa(bits: Int32)
        case p256
    }

    package let id: String
    private let kind: Kind
    private let raw: OpaquePointer

    package init(_ kind: Kind, id: String) {
        self.id = id
        self.kind = kind
        var made: OpaquePointer?
        let name = if case .p256 = kind { "EC" } else { "RSA" }
        let context = EVP_PKEY_CTX_new_from_name(nil, name, nil)
        defer { EVP_PKEY_CTX_free(context) }
        EVP_PKEY_keygen_init(context)
        switch kind {
        case .rsa(let bits): EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits)
        case .p256: EVP_PKEY_CTX_set_group_name(context, "P-256")
        }
        guard EVP_PKEY_generate(context, &made) == 1, let made else { preconditionFailure("OpenSSL makes no key") }
        raw = made
    }

    deinit { EVP_PKEY_free(raw) }

    package var algorithm: String { if case .p256 = kind { "ES256" } else { "RS256" } }

    /// The public half, as a member of a JSON Web Key Set.
    package var published: JSONValue {
        switch kind {
        case .rsa:
            return [
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": .string(id), "n": .string(number("n")),
                "e": .string(number("e")),
            ]
        case .p256:
            let point = info.suffix(64)
            return [
                "kty": "EC", "crv": "P-256", "kid": .string(id),
                "x": .string(Base64.encodeURLSafe(Array(point.prefix(32)))),
                "y": .string(Base64.encodeURLSafe(Array(point.suffix(32)))),
            ]
        }
    }

    /// SubjectPublicKeyInfo, DER: what a confused verifier would take for an HMAC's secret.
    package var info: [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_PUBKEY(raw, &bytes)
        defer { CRYPTO_free(bytes, "", 0) }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    private func number(_ name: String) -> String {
        var value: OpaquePointer?
        EVP_PKEY_get_bn_param(raw, name, &value)
        defer { BN_free(value) }
        var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(value) + 7) / 8)
        BN_bn2bin(value, &bytes)
        return Base64.encodeURLSafe(bytes)
    }

    /// As JOSE has it: PKCS #1 v1.5 for RSA, r ‖ s for P-256.
    package func sign(_ message: [UInt8]) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        EVP_DigestSignInit(context, nil, EVP_sha256(), nil, raw)
        var count = 1024
        var signature = [UInt8](repeating: 0, count: count)
        EVP_DigestSign(context, &signature, &count, message, message.count)
        signature = Array(signature.prefix(count))
        guard case .p256 = kind else { return signature }
        // SEQUENCE { INTEGER r, INTEGER s }, all shorter than 128 bytes.
        let rLength = Int(signature[3])
        let (r, s) = (signature[4..<(4 + rLength)], signature[(6 + rLength)...])
        func padded(_ number: ArraySlice<UInt8>) -> [UInt8] {
            let bytes = Array(number.drop { $0 == 0 })
            return [UInt8](repeating: 0, count: 32 - bytes.count) + bytes
        }
        return padded(r) + padded(s)
    }

    /// A whole token.
    /// - Parameter header: its JSON; the right one unless told.
    package func token(_ claims: JSONObject, header: String? = nil) -> String {
        let header = header ?? #"{"alg":"\#(algorithm)","kid":"\#(id)","typ":"JWT"}"#
        let signed = Base64.encodeURLSafe(Array(header.utf8)) + "." + Base64.encodeURLSafe(CanonicalJSON.encode(claims))
        return signed + "." + Base64.encodeURLSafe(sign(Array(signed.utf8)))
    }
}

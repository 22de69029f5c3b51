import CLibCrypto
import Glibc

/// A server's certificate as nginx reads it: the first of a PEM file.
package struct Certificate: Sendable {
    /// Seconds since 1970, both ends of its validity.
    package let notBefore: Int64
    package let notAfter: Int64
    private let pem: [UInt8]

    /// - Throws: ``CryptoError`` `.invalidKey` when the text holds no certificate.
    package init(pem: [UInt8]) throws(CryptoError) {
        self.pem = pem
        let x509 = try PEMCertificate(pem)
        notBefore = try x509.seconds(of: .begin)
        notAfter = try x509.seconds(of: .end)
    }

    /// Whether a client that asked for `host`, a name or a numeric address, accepts the certificate's names.
    package func names(_ host: String) -> Bool {
        guard let x509 = try? PEMCertificate(pem) else { return false }
        return x509.names(host)
    }

    /// Whether this private key, a PEM text without a passphrase, is the certificate's own.
    /// - Throws: ``CryptoError`` `.invalidKey` when the text holds no private key.
    package func belongs(toKey key: [UInt8]) throws(CryptoError) -> Bool {
        try PEMCertificate(pem).belongs(toKey: key)
    }
}

/// Sole owner of one parsed certificate; lives inside one call.
@safe private struct PEMCertificate: ~Copyable {
    enum End { case begin, end }

    private let raw: OpaquePointer

    init(_ pem: [UInt8]) throws(CryptoError) {
        defer { ERR_clear_error() }
        let source = try Source(pem)
        guard let found = unsafe PEM_read_bio_X509(source.raw, nil, nil, nil) else {
            throw CryptoError(.invalidKey, "no certificate in PEM form")
        }
        unsafe raw = found
    }

    deinit { unsafe X509_free(raw) }

    func seconds(of end: End) throws(CryptoError) -> Int64 {
        var parts = unsafe tm()
        let time = unsafe end == .begin ? X509_get0_notBefore(raw) : X509_get0_notAfter(raw)
        guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else {
            throw CryptoError(.invalidKey, "the certificate's validity can not be read")
        }
        return unsafe Int64(timegm(&parts))
    }

    func names(_ host: String) -> Bool {
        if unsafe X509_check_ip_asc(raw, host, 0) == 1 { return true }
        return unsafe X509_check_host(raw, host, host.utf8.count, 0, nil) == 1
    }

    func belongs(toKey key: [UInt8]) throws(CryptoError) -> Bool {
        defer { ERR_clear_error() }
        let source = try Source(key)
        // An answer to the question for a passphrase; without one OpenSSL would ask the terminal.
        let none: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
            _, _, _, _ in 0
        }
        guard let parsed = unsafe PEM_read_bio_PrivateKey(source.raw, nil, none, nil) else {
            throw CryptoError(.invalidKey, "no private key in PEM form that opens without a passphrase")
        }
        defer { unsafe EVP_PKEY_free(parsed) }
        return unsafe X509_check_private_key(raw, parsed) == 1
    }
}

/// Bytes as OpenSSL reads them; a copy, freed with its owner.
@safe private struct Source: ~Copyable {
    let raw: OpaquePointer

    init(_ bytes: [UInt8]) throws(CryptoError) {
        guard let memory = unsafe BIO_new(BIO_s_mem()),
            unsafe BIO_write(memory, bytes, Int32(clamping: bytes.count)) > 0
        else { throw CryptoError(.invalidKey, "the file is empty") }
        unsafe raw = memory
    }

    deinit { unsafe BIO_free_all(raw) }
}

import CLibCrypto

/// What the connections of one client share in OpenSSL: trusted authorities and protocol limits.
///
/// Making one reads files, so it happens on a blocking executor. OpenSSL allows its use from any thread after that.
@safe final class TLSContext: @unchecked Sendable {  // both pointers are set once and thread-safe by OpenSSL's contract
    private let context: OpaquePointer
    private let socketMethod: OpaquePointer
    private let serverName: String

    /// - Throws: ``SocketError`` `.tls` when the authorities can not be read.
    init(_ configuration: TLSConfiguration) throws(SocketError) {
        ERR_clear_error()
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw TLSFailure.error("TLS context") }
        guard let method = unsafe clibcrypto_socket_method() else {
            unsafe SSL_CTX_free(context)
            throw TLSFailure.error("TLS context")
        }
        unsafe self.context = context
        unsafe socketMethod = method
        serverName = configuration.serverName
        guard unsafe clibcrypto_ctx_prepare_client(context) == 1 else { throw TLSFailure.error("TLS protocol version") }
        if let file = configuration.caFile {
            guard unsafe SSL_CTX_load_verify_locations(context, file, nil) == 1 else {
                throw TLSFailure.error("TLS authorities \(file)")
            }
        } else {
            guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else {
                throw TLSFailure.error("TLS authorities")
            }
        }
    }

    deinit {
        unsafe SSL_CTX_free(context)
        unsafe BIO_meth_free(socketMethod)
    }

    /// A channel over a connected descriptor that has not shaken hands yet.
    func makeChannel(fd: Int32) throws(SocketError) -> TLSChannel {
        ERR_clear_error()
        guard let ssl = unsafe SSL_new(context) else { throw TLSFailure.error("TLS connection") }
        guard let bio = unsafe BIO_new(socketMethod) else {
            unsafe SSL_free(ssl)
            throw TLSFailure.error("TLS connection")
        }
        unsafe clibcrypto_bio_set_fd(bio, fd)
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe SSL_set_connect_state(ssl)
        guard unsafe expectName(ssl) else {
            unsafe SSL_free(ssl)
            throw TLSFailure.error("TLS server name \(serverName)")
        }
        return unsafe TLSChannel(ssl: ssl, context: self)
    }

    /// RFC 6066 §3 forbids a numeric address in SNI; the certificate is then matched by its IP entries.
    private func expectName(_ ssl: OpaquePointer) -> Bool {
        if SocketAddress(ip: serverName, port: 0) != nil {
            return unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), serverName) == 1
        }
        unsafe SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        return unsafe SSL_set1_host(ssl, serverName) == 1 && clibcrypto_set_tlsext_host_name(ssl, serverName) == 1
    }
}

/// The text of OpenSSL's error queue, which is per thread: read it right after the failed call.
enum TLSFailure {
    static func error(_ what: String) -> SocketError {
        let number = ERR_get_error()
        ERR_clear_error()
        guard number != 0 else { return SocketError(.tls, what) }
        var text = [CChar](repeating: 0, count: 256)
        unsafe ERR_error_string_n(number, &text, text.count)
        return SocketError(
            .tls, "\(what): \(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))")
    }
}

import CLibCrypto
import Glibc

/// Bytes through TLS, on a descriptor that someone else owns and closes.
///
/// There is no renegotiation, so after the handshake a read only ever waits to read and a write to write. OpenSSL reads
/// one record at a time and the loop's buffer holds more than a record, so nothing decrypted is left behind.
@safe final class TLSChannel: ByteChannel {
    /// What the handshake waits for.
    enum Handshake {
        case done
        case waits(Interest)
        case failed(SocketError)
    }

    private let context: TLSContext
    private var ssl: OpaquePointer?
    /// After a fatal error OpenSSL forbids a shutdown.
    private var isBroken = false

    /// Takes over `ssl`.
    init(ssl: OpaquePointer, context: TLSContext) {
        unsafe self.ssl = ssl
        self.context = context
    }

    deinit { if let ssl = unsafe ssl { unsafe SSL_free(ssl) } }

    /// Goes on with the handshake; call again when the descriptor is ready for what it waits for.
    func handshake() -> Handshake {
        guard let ssl = unsafe ssl else { return .failed(SocketError(.closed, "TLS: closed")) }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 { return .done }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .waits(.read)
        case SSL_ERROR_WANT_WRITE: return .waits(.write)
        case let reason:
            let verdict = unsafe SSL_get_verify_result(ssl)
            if verdict != Int(X509_V_OK) {
                isBroken = true
                ERR_clear_error()
                let text = unsafe String(cString: X509_verify_cert_error_string(verdict))
                return .failed(SocketError(.tls, "TLS: certificate refused: \(text)"))
            }
            return .failed(failure(reason, "handshake"))
        }
    }

    func read(into buffer: inout [UInt8]) -> Socket.Outcome {
        guard let ssl = unsafe ssl else { return .failed(SocketError(.closed, "TLS: closed")) }
        ERR_clear_error()
        let count = unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe SSL_read(ssl, raw.baseAddress, Int32(clamping: raw.count))
        }
        if count > 0 { return .bytes(Int(count)) }
        switch unsafe SSL_get_error(ssl, count) {
        case SSL_ERROR_ZERO_RETURN: return .bytes(0)
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
        case let reason: return .failed(failure(reason, "read"))
        }
    }

    func write(_ bytes: ArraySlice<UInt8>) -> Socket.Outcome {
        guard let ssl = unsafe ssl else { return .failed(SocketError(.closed, "TLS: closed")) }
        ERR_clear_error()
        let count = unsafe bytes.withUnsafeBytes { raw in
            unsafe SSL_write(ssl, raw.baseAddress, Int32(clamping: raw.count))
        }
        if count > 0 { return .bytes(Int(count)) }
        switch unsafe SSL_get_error(ssl, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
        case let reason: return .failed(failure(reason, "write"))
        }
    }

    var hasBufferedInput: Bool {
        guard let ssl = unsafe ssl else { return false }
        return unsafe SSL_pending(ssl) > 0
    }

    /// Says close_notify, best effort.
    func finishSending() {
        guard let ssl = unsafe ssl, !isBroken, unsafe SSL_is_init_finished(ssl) == 1 else { return }
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    func close() {
        finishSending()
        if let ssl = unsafe ssl { unsafe SSL_free(ssl) }
        unsafe ssl = nil
    }

    private func failure(_ reason: Int32, _ what: String) -> SocketError {
        let number = errno
        isBroken = true
        if reason == SSL_ERROR_SYSCALL, ERR_peek_error() == 0 {
            return number == 0 ? SocketError(.closed, "TLS \(what): peer closed") : .system("TLS \(what)", number)
        }
        return TLSFailure.error("TLS \(what)")
    }
}

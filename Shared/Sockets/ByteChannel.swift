import Glibc

/// How a ``Transport`` moves bytes: plain, or through TLS. Lives on the transport's loop.
protocol ByteChannel: AnyObject {
    /// Zero bytes means the peer will send no more.
    func read(into buffer: inout [UInt8]) -> Socket.Outcome
    func write(_ bytes: ArraySlice<UInt8>) -> Socket.Outcome
    /// Decrypted bytes that no readiness event will announce.
    var hasBufferedInput: Bool { get }
    /// Called before the sending side is shut down; TLS says so to its peer.
    func finishSending()
    func close()
}

/// Bytes as they are.
final class PlainChannel: ByteChannel {
    private let fd: Int32
    init(fd: Int32) { self.fd = fd }

    func read(into buffer: inout [UInt8]) -> Socket.Outcome { Socket.read(fd, into: &buffer) }
    func write(_ bytes: ArraySlice<UInt8>) -> Socket.Outcome { Socket.write(fd, bytes) }
    var hasBufferedInput: Bool { false }
    func finishSending() {}
    func close() {}
}

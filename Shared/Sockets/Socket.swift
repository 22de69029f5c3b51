import CLinux
import Glibc

/// System calls on a non-blocking TCP or Unix-domain socket, as values and typed errors.
enum Socket {
    /// What a read or write did.
    enum Outcome {
        case bytes(Int)
        case wouldBlock
        case failed(SocketError)
    }

    static func make(for address: SocketAddress) throws(SocketError) -> Int32 {
        let fd = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
        guard fd >= 0 else { throw .system("socket") }
        guard clinux_set_nonblocking(fd) == 0 else {
            let error = SocketError.system("fcntl")
            close(fd)
            throw error
        }
        configure(fd, family: address.family)
        return fd
    }

    /// Small answers must not wait for the peer's ACK.
    static func configure(_ fd: Int32, family: Int32) {
        guard family != AF_UNIX else { return }
        setOption(fd, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    static func setOption(_ fd: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = unsafe setsockopt(fd, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Bytes that have come and were not read yet.
    static func unreadBytes(_ fd: Int32) -> Int { Int(clinux_unread_bytes(fd)) }

    /// From this many bytes on that are not on the wire yet, the kernel takes no more.
    static func limitUnsent(_ fd: Int32, family: Int32, to bytes: Int) {
        guard family != AF_UNIX else { return }
        setOption(fd, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, Int32(clamping: bytes))
    }

    /// Starts connecting; true when the connection stands at once.
    static func connect(_ fd: Int32, to address: SocketAddress) throws(SocketError) -> Bool {
        let result = unsafe address.withSockaddr { unsafe Glibc.connect(fd, $0, $1) }
        if result == 0 { return true }
        guard errno == EINPROGRESS || errno == EAGAIN else { throw .system("connect \(address)") }
        return false
    }

    /// The pending error of a socket that was connecting.
    static func pendingError(_ fd: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) == 0 ? value : errno
    }

    static func read(_ fd: Int32, into buffer: inout [UInt8]) -> Outcome {
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.recv(fd, $0.baseAddress, $0.count, 0) }
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            if errno == EAGAIN { return .wouldBlock }
            return .failed(.system("recv"))
        }
    }

    static func write(_ fd: Int32, _ bytes: ArraySlice<UInt8>) -> Outcome {
        while true {
            let count = unsafe bytes.withUnsafeBytes { unsafe send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            if errno == EAGAIN { return .wouldBlock }
            return .failed(.system("send"))
        }
    }

    static func address(of fd: Int32, peer: Bool) -> SocketAddress {
        var storage = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
        var length = socklen_t(storage.count)
        let result = unsafe storage.withUnsafeMutableBytes { raw in
            unsafe raw.withMemoryRebound(to: sockaddr.self) { pointer in
                unsafe peer
                    ? getpeername(fd, pointer.baseAddress!, &length) : getsockname(fd, pointer.baseAddress!, &length)
            }
        }
        return SocketAddress(bytes: result == 0 ? Array(storage.prefix(Int(length))) : [])
    }
}

import Glibc
import Platform

/// Stands between a process and a server, and can hold back every byte in both directions, as a broken network does:
/// nobody is told, and what was on its way arrives when it heals.
final class PartitionRelay: Sendable {
    struct Failed: Error, CustomStringConvertible { let description: String }

    private struct State {
        var isHeld = false
        var isClosed = false
        var sockets: [Int32] = []
    }

    /// Between two looks at whether the network has healed.
    private static let pollMilliseconds: Int32 = 5

    let port: UInt16
    private let upstream: UInt16
    private let listener: Int32
    private let state = Lock(State())

    /// - Parameter upstream: the port of the server on 127.0.0.1.
    init(upstream: UInt16) throws {
        self.upstream = upstream
        port = StackPorts.take()
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        listener = socket
        let isListening = Self.withLoopback(port) { bind(socket, $0, $1) == 0 && listen(socket, 64) == 0 }
        guard isListening else { throw Failed(description: "port \(port) can not be listened on") }
        OSThread.start(name: "relay") { [self] in accept() }
    }

    /// Holds every byte back, or lets all go.
    func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

    /// The last thing: ends every connection.
    func close() {
        state.withLock { state in
            state.isClosed = true
            for socket in state.sockets + [listener] { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    deinit { for socket in state.withLock({ $0.sockets }) + [listener] { Glibc.close(socket) } }

    private func accept() {
        while case let client = Glibc.accept(listener, nil, nil), client >= 0 {
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            let isConnected = Self.withLoopback(upstream) { connect(server, $0, $1) == 0 }
            state.withLock { $0.sockets += [client, server] }
            guard isConnected else {
                shutdown(client, Int32(SHUT_RDWR))
                continue
            }
            OSThread.start(name: "relay") { [self] in pump(from: client, to: server) }
            OSThread.start(name: "relay") { [self] in pump(from: server, to: client) }
        }
    }

    /// A thread per direction; it ends when either side closes.
    private func pump(from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = recv(source, &buffer, buffer.count, 0), count > 0 {
            while state.withLock({ $0.isHeld && !$0.isClosed }) { poll(nil, 0, Self.pollMilliseconds) }
            guard send(target, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        // A hang-up is held back like everything else.
        while state.withLock({ $0.isHeld && !$0.isClosed }) { poll(nil, 0, Self.pollMilliseconds) }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }

    private static func withLoopback<Result>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result)
        -> Result
    {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

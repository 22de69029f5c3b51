import Glibc
import Platform

/// Stands between a process and a server, and is a broken network: it holds back every byte in both directions, of which
/// nobody is told; or cuts every connection; or loses what the server answers next.
package final class PartitionRelay: Sendable {
    struct Failed: Error, CustomStringConvertible { let description: String }

    /// One connection: a socket to each side, closed when both directions have ended.
    private struct Link {
        let client: Int32
        let server: Int32
        var directions = 2
        /// The next bytes of the server are lost, and the connection with them.
        var losesAnswer = false
    }

    private struct State {
        var isHeld = false
        var isClosed = false
        var links: [Int: Link] = [:]
        var made = 0
    }

    /// Between two looks at whether the network has healed.
    private static let pollMilliseconds: Int32 = 5

    /// Where the process connects to.
    package let port: UInt16
    private let upstream: @Sendable () -> UInt16?
    private let listener: Int32
    private let state = Lock(State())

    /// - Parameter upstream: the port of the server on 127.0.0.1.
    package convenience init(upstream: UInt16) throws { try self.init { upstream } }

    /// - Parameter upstream: asked for the port on 127.0.0.1 for each connection; nil closes it.
    package init(choosing upstream: @escaping @Sendable () -> UInt16?) throws {
        self.upstream = upstream
        port = StackPorts.take()
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        listener = socket
        var yes: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let isListening = Self.withLoopback(port) { bind(socket, $0, $1) == 0 && listen(socket, 64) == 0 }
        guard isListening else { throw Failed(description: "port \(port) can not be listened on") }
        OSThread.start(name: "relay") { [self] in accept() }
    }

    /// Holds every byte back, or lets all go.
    package func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

    /// Ends every connection there is; new ones are let through.
    package func cut() {
        state.withLock { state in
            for link in state.links.values { Self.hangUp(link) }
        }
    }

    /// Loses the next answer of every connection there is, and then the connection: the server has done what it was asked.
    package func loseAnswers() {
        state.withLock { state in
            for number in state.links.keys { state.links[number]?.losesAnswer = true }
        }
    }

    /// The last thing: ends every connection.
    package func close() {
        state.withLock { state in
            state.isClosed = true
            for link in state.links.values { Self.hangUp(link) }
        }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    deinit { Glibc.close(listener) }

    private static func hangUp(_ link: Link) {
        shutdown(link.client, Int32(SHUT_RDWR))
        shutdown(link.server, Int32(SHUT_RDWR))
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { return }
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var yes: Int32 = 1
            for socket in [client, server] {
                setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
            }
            guard let chosen = upstream(), Self.withLoopback(chosen, { connect(server, $0, $1) == 0 }) else {
                Glibc.close(client)
                Glibc.close(server)
                continue
            }
            let number = state.withLock { state in
                state.made += 1
                state.links[state.made] = Link(client: client, server: server)
                return state.made
            }
            OSThread.start(name: "relay") { [self] in pump(number, from: client, to: server, isAnswer: false) }
            OSThread.start(name: "relay") { [self] in pump(number, from: server, to: client, isAnswer: true) }
        }
    }

    /// A thread per direction; it ends when either side closes.
    private func pump(_ number: Int, from source: Int32, to target: Int32, isAnswer: Bool) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            waitWhileHeld()
            if isAnswer, state.withLock({ $0.links[number]?.losesAnswer ?? true }) { break }
            guard send(target, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        // A hang-up is held back like everything else.
        waitWhileHeld()
        state.withLock { state in
            guard var link = state.links[number] else { return }
            Self.hangUp(link)
            link.directions -= 1
            state.links[number] = link.directions > 0 ? link : nil
            guard link.directions == 0 else { return }
            Glibc.close(link.client)
            Glibc.close(link.server)
        }
    }

    private func waitWhileHeld() {
        while state.withLock({ $0.isHeld && !$0.isClosed }) { poll(nil, 0, Self.pollMilliseconds) }
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

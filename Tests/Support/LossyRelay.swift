import Glibc
import Platform

/// Stands between a client and its server, and can lose one answer: the server has done its work, the client never knows.
/// Or it changes what the client asks.
package final class LossyRelay: Sendable {
    private struct State {
        var marker: [UInt8]?
        var skipped = 0
        var losses = 0
        var isClosed = false
        var sockets: [Int32] = []
    }

    package let port: UInt16
    private let upstreamPort: UInt16
    private let listener: Int32
    private let rewrite: @Sendable (ArraySlice<UInt8>) -> [UInt8]
    private let state = Lock(State())

    /// - Parameters:
    ///   - upstreamPort: of the server, on 127.0.0.1.
    ///   - rewrite: what to send instead of a client's write; small commands come in one.
    package init(
        upstreamPort: UInt16, rewrite: @escaping @Sendable (ArraySlice<UInt8>) -> [UInt8] = { Array($0) }
    ) throws {
        self.upstreamPort = upstreamPort
        self.rewrite = rewrite
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else { throw Backends.Missing(description: "no port for a relay: errno \(errno)") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        spawn { $0.acceptLoop() }
    }

    /// Loses the answer to what the client sends `skipping` writes after the one that holds `marker`. Once.
    package func loseAnswer(to marker: [UInt8], skipping: Int = 0) {
        state.withLock { ($0.marker, $0.skipped) = (marker, skipping) }
    }

    /// Answers lost so far.
    package var losses: Int { state.withLock { $0.losses } }

    package func close() {
        state.withLock { state in
            state.isClosed = true
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
            shutdown(listener, Int32(SHUT_RDWR))
        }
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    /// A blocking thread per direction; it ends when either side closes.
    private func spawn(_ body: @escaping @Sendable (LossyRelay) -> Void) {
        OSThread.start(name: "relay") { body(self) }
    }

    deinit {
        Glibc.close(listener)
        for socket in state.withLock({ $0.sockets }) { Glibc.close(socket) }
    }

    private func acceptLoop() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(port: upstreamPort)
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard isConnected else { Glibc.close(client); continue }
            state.withLock { $0.sockets += [client, server] }
            let isLosing = Lock(false)
            spawn { $0.pump(from: client, to: server, isRequest: true, isLosing) }
            spawn { $0.pump(from: server, to: client, isRequest: false, isLosing) }
        }
    }

    private func pump(from source: Int32, to target: Int32, isRequest: Bool, _ isLosing: Lock<Bool>) {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            if isRequest {
                if shallLose(buffer[..<count]) { isLosing.withLock { $0 = true } }
            } else if isLosing.withLock({ $0 }) {
                state.withLock { $0.losses += 1 }
                break
            }
            let bytes = isRequest ? rewrite(buffer[..<count]) : Array(buffer[..<count])
            guard send(target, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { break }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }

    private func shallLose(_ request: ArraySlice<UInt8>) -> Bool {
        state.withLock { state in
            guard let marker = state.marker else { return false }
            if !marker.isEmpty {
                guard Self.contains(request, marker) else { return false }
                state.marker = []
            } else {
                state.skipped -= 1
            }
            guard state.skipped == 0 else { return false }
            state.marker = nil
            return true
        }
    }

    private static func contains(_ bytes: ArraySlice<UInt8>, _ marker: [UInt8]) -> Bool {
        guard let first = marker.first else { return true }
        return bytes.indices.contains { bytes[$0] == first && bytes[$0...].starts(with: marker) }
    }
}

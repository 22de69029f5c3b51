import Contracts
import FaultSupport
import Glibc
import HTTP
import Platform
import Sockets

/// Bytes to a port, half-closed, and what comes back until the other side hangs up.
enum RawExchange {
    struct Failed: Error, CustomStringConvertible { let description: String }

    struct Answer: Sendable {
        let bytes: [UInt8]
        /// The other side has hung up, within the time given.
        let isClosed: Bool
        var text: String { String(decoding: bytes, as: UTF8.self) }
        /// Nothing at all, or a response that is whole enough to have a status line; and then the end.
        var isHTTPOrNothing: Bool { isClosed && (bytes.isEmpty || text.hasPrefix("HTTP/1.1 ")) }
    }

    private static let executor = BlockingExecutor(label: "raw", threads: 16)
    private static let patience = timeval(tv_sec: 5, tv_usec: 0)
    private static let maxBytes = 1 << 20

    /// - Throws: when the port can not be connected to.
    static func send(_ bytes: [UInt8], to port: UInt16) async throws -> Answer {
        try await executor.run { try exchange(bytes, port) }
    }

    private static func exchange(_ bytes: [UInt8], _ port: UInt16) throws -> Answer {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var limit = patience
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard connects(descriptor, port) else {
            throw Failed(description: "port \(port): \(String(cString: strerror(errno)))")
        }
        var sent = 0
        while sent < bytes.count {
            // A server that refuses early hangs up while we still write; what it said is still there to be read.
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        shutdown(descriptor, Int32(SHUT_WR))
        return receive(descriptor)
    }

    private static func receive(_ descriptor: Int32) -> Answer {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while received.count < maxBytes {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 {
                received += buffer[..<count]
                continue
            }
            return Answer(bytes: received, isClosed: count == 0 || errno == ECONNRESET)
        }
        return Answer(bytes: received, isClosed: false)
    }

    private static func connects(_ descriptor: Int32, _ port: UInt16) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// A WebSocket client that says something and waits for the answer of a type.
final class Talk: Sendable {
    private static let patience: Duration = .seconds(10)
    private let client: WebSocketClient
    private let loop: EventLoop

    private init(client: WebSocketClient, loop: EventLoop) {
        self.client = client
        self.loop = loop
    }

    static func open(_ stack: Stack, _ member: Stack.Member) async throws -> Talk {
        let port = stack.ports(of: member).main
        guard let address = SocketAddress(ip: "127.0.0.1", port: port) else {
            throw Stack.Late(description: "no address")
        }
        let client = try await WebSocketClient.connect(
            loop: stack.loop, to: [address], host: "127.0.0.1:\(port)", target: "/ws?token=\(Stack.token)")
        return Talk(client: client, loop: stack.loop)
    }

    /// - Returns: nil when the connection ended first, or nothing of that type came in time.
    func ask(_ text: String, for type: String) async throws -> JSONValue? {
        try await client.send(text)
        let watchdog = Task { [loop, client] in
            guard (try? await loop.sleep(for: Self.patience)) != nil else { return }  // cancelled below
            await client.abort()
        }
        defer { watchdog.cancel() }
        while let message = await client.receive() {
            guard case .text(let answer) = message,
                let value = try? JSONParser.parse(Array(answer.utf8), maximumBytes: 1 << 20)
            else { continue }
            if value["type"]?.string == type { return value }
        }
        return nil
    }

    func close() async { await client.abort() }
}

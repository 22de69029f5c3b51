import Platform
package import Sockets

/// An HTTP server of raw bytes for tests: answers each request with what a script says, right or wrong.
package final class ScriptedServer: Sendable {
    /// What to do for one request, in order.
    package enum Step: Sendable {
        case send(String)
        case bytes([UInt8])
        /// Closes the connection after what was sent.
        case close
        /// Goes on when ``ScriptedServer/release()`` was called once more.
        case wait
    }

    package struct Request: Sendable {
        /// Over all connections, from 0.
        package let index: Int
        /// From 0.
        package let connection: Int
        package let head: String
        package let body: [UInt8]

        /// The first value of a field, by name in any case.
        package func header(_ name: String) -> String? {
            for line in head.split(separator: "\r\n").dropFirst() {
                guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name.lowercased() else {
                    continue
                }
                return String(line[line.index(after: colon)...].drop { $0 == " " })
            }
            return nil
        }
    }

    package typealias Script = @Sendable (Request) -> [Step]

    private struct State {
        var requests: [Request] = []
        var connections: [ScriptedConnection] = []
        var closedConnections = 0
        var sentBytes = 0
    }

    private let loop: EventLoop
    private let state = Lock(State())
    private let listener: Lock<Listener?>
    private let script: Script
    /// One element per request and per closed connection, so that tests await instead of sleeping.
    package let events: AsyncStream<String>
    private let eventsContinuation: AsyncStream<String>.Continuation

    package init(loop: EventLoop, script: @escaping Script) throws {
        self.loop = loop
        self.script = script
        listener = Lock(nil)
        (events, eventsContinuation) = AsyncStream.makeStream()
        guard let address = SocketAddress(ip: "127.0.0.1", port: 0) else { preconditionFailure("a fixed address") }
        // With SO_REUSEPORT the kernel may give two tests one port.
        let made = try Listener(loop: loop, address: address, reusePort: false) { [weak self] in self?.accepted($0) }
        listener.withLock { $0 = made }
        made.start()
    }

    deinit {
        let (loop, made) = (loop, listener.withLock { $0 })
        loop.execute { made?.close() }
    }

    package var port: UInt16 { listener.withLock { $0?.address.port ?? 0 } }
    package var url: String { "http://127.0.0.1:\(port)" }
    package var requests: [Request] { state.withLock { $0.requests } }
    package var connectionCount: Int { state.withLock { $0.connections.count } }

    /// Bytes that are queued and not yet taken by the kernel, over all connections.
    package func pendingBytes() async -> Int {
        let connections = state.withLock { $0.connections }
        return await Task(executorPreference: loop) { connections.reduce(0) { $0 + $1.pendingBytes } }.value
    }

    /// Lets every connection that is at a ``Step/wait`` go on.
    package func release() {
        let connections = state.withLock { $0.connections }
        loop.execute { for connection in connections { connection.release() } }
    }

    private func accepted(_ socket: AcceptedSocket) {
        let connection = ScriptedConnection(
            loop: loop, socket: socket, number: state.withLock { $0.connections.count },
            respond: { [weak self] in self?.respond($0, $1, $2) ?? [.close] },
            closed: { [weak self] in _ = self?.eventsContinuation.yield("closed") })
        state.withLock { $0.connections.append(connection) }
        connection.start()
    }

    private func respond(_ connection: Int, _ head: String, _ body: [UInt8]) -> [Step] {
        let request = state.withLock { state in
            let request = Request(index: state.requests.count, connection: connection, head: head, body: body)
            state.requests.append(request)
            return request
        }
        eventsContinuation.yield("request")
        return script(request)
    }
}

/// One connection of a ``ScriptedServer``. On the loop only.
private final class ScriptedConnection: TransportDelegate, @unchecked Sendable {  // every call comes on the loop
    private let transport: Transport
    private let number: Int
    private let respond: (Int, String, [UInt8]) -> [ScriptedServer.Step]
    private let closed: () -> Void
    private var input: [UInt8] = []
    private var steps: ArraySlice<ScriptedServer.Step> = []
    private var isWaiting = false

    init(
        loop: EventLoop, socket: AcceptedSocket, number: Int,
        respond: @escaping (Int, String, [UInt8]) -> [ScriptedServer.Step],
        closed: @escaping () -> Void
    ) {
        transport = Transport(loop: loop, accepted: socket)
        self.number = number
        self.respond = respond
        self.closed = closed
    }

    var pendingBytes: Int { transport.pendingBytes }

    func start() { try? transport.start(delegate: self) }

    func release() {
        guard isWaiting else { return }
        isWaiting = false
        play()
    }

    func transportReceived(_ bytes: ArraySlice<UInt8>) {
        input.append(contentsOf: bytes)
        while let (head, body, length) = wholeRequest() {
            input.removeFirst(length)
            steps.append(contentsOf: respond(number, head, body))
            if !isWaiting { play() }
        }
    }

    func transportReachedEnd() { transport.closeAfterFlush() }
    func transportDrained() {}
    func transportClosed(_ error: SocketError?) { closed() }

    private func play() {
        while let step = steps.popFirst() {
            switch step {
            case .send(let text): transport.send(Array(text.utf8))
            case .bytes(let bytes): transport.send(bytes)
            case .close: return transport.closeAfterFlush()
            case .wait:
                isWaiting = true
                return
            }
        }
    }

    private func wholeRequest() -> (String, [UInt8], Int)? {
        let text = String(decoding: input, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let head = String(text[..<end.lowerBound])
        let headBytes = head.utf8.count + 4
        let length =
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.split(separator: ":")[1].drop { $0 == " " }) } ?? 0
        guard input.count >= headBytes + length else { return nil }
        return (head, Array(input[headBytes..<headBytes + length]), headBytes + length)
    }
}

extension ScriptedServer.Step {
    /// A whole response with a body of known length.
    package static func response(_ status: String, headers: String = "", body: String = "") -> ScriptedServer.Step {
        .send("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    /// The head of a chunked response.
    package static func chunkedHead(_ status: String = "200 OK", type: String = "text/event-stream")
        -> ScriptedServer.Step
    {
        .send("HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    package static func chunk(_ text: String) -> ScriptedServer.Step {
        .send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
    }

    package static let lastChunk = ScriptedServer.Step.send("0\r\n\r\n")
}

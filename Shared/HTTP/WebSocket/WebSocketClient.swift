package import Sockets
import Crypto
import Platform

/// A small WebSocket client on one loop, for command lines and tests: masked frames, whole messages. Takes compressed messages when asked
/// to, and sends none.
package actor WebSocketClient: TransportDelegate {
    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Messages held for a slow caller; past it the server is not read from.
    static let maxHeldMessages = 256

    private enum Phase { case opening, open, closing, closed }

    private nonisolated let transport: Transport
    private let key: String
    private var phase = Phase.opening
    private var answer = UpgradeAnswer()
    private var opened: CheckedContinuation<Void, any Error>?
    private var parser: FrameParser
    private var assembler: MessageAssembler
    private var held: [WebSocketMessage] = []
    private var receivers: [CheckedContinuation<WebSocketMessage?, Never>] = []

    /// The subprotocol the server chose.
    package private(set) var subprotocol: String?
    /// The extensions the server agreed to, as it says it.
    package private(set) var extensions: String?
    /// How the connection ended, once ``receive()`` has returned nil.
    package private(set) var closeCode = CloseCode.abnormal
    package private(set) var closeReason = ""

    private init(transport: Transport, key: String, compression: Bool, messageBytes: Int) {
        self.transport = transport
        self.key = key
        loop = transport.loop
        parser = FrameParser(role: .client, limitBytes: messageBytes, allowsCompression: compression)
        assembler = MessageAssembler(limitBytes: messageBytes)
    }

    deinit {
        // A client that was dropped must not leave its socket watched for ever.
        loop.execute { [transport] in transport.close() }
    }

    /// Connects and upgrades.
    ///
    /// - Parameters:
    ///   - host: the `Host` field, with its port.
    ///   - target: path and query, already percent-encoded.
    ///   - timeout: for connecting, and again for the server's answer.
    /// - Throws: ``WebSocketClientError``, or ``SocketError`` when the server can not be reached.
    package static func connect(
        loop: EventLoop, to addresses: [SocketAddress], host: String, target: String, headers: Headers = [:],
        protocols: [String] = [], compression: Bool = false, messageBytes: Int = 1024 * 1024,
        timeout: Duration = .seconds(10), tls: TLSConfiguration? = nil
    ) async throws -> WebSocketClient {
        let transport = try await Connector.connect(loop: loop, to: addresses, timeout: timeout, tls: tls)
        let key = Base64.encode((0..<16).map { _ in UInt8.random(in: .min ... .max) })
        let client = WebSocketClient(
            transport: transport, key: key, compression: compression, messageBytes: messageBytes)
        var lines = [
            "GET \(target) HTTP/1.1", "Host: \(host)", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(key)",
        ]
        if !protocols.isEmpty { lines.append("Sec-WebSocket-Protocol: \(protocols.joined(separator: ", "))") }
        if compression {
            lines.append("Sec-WebSocket-Extensions: \(MessageCompression.name); server_no_context_takeover")
        }
        for field in headers.fields { lines.append("\(field.name.text): \(field.value.text)") }
        try await client.open(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8), timeout)
        return client
    }

    /// Sends a text message. - Throws: ``WebSocketClientError`` `.closed`.
    package func send(_ text: String) throws { try send(.text, Array(text.utf8)) }

    /// Sends a binary message. - Throws: ``WebSocketClientError`` `.closed`.
    package func send(_ bytes: [UInt8]) throws { try send(.binary, bytes) }

    /// Sends a ping of at most 125 bytes; the pong is among the messages received. - Throws: ``WebSocketClientError``.
    package func ping(_ payload: [UInt8] = []) throws {
        try send(.ping, Array(payload.prefix(FrameWriter.maxControlBytes)))
    }

    /// Sends bytes as they are, for tests of what a server must refuse.
    package func sendRaw(_ bytes: [UInt8]) { transport.send(bytes) }

    /// The next message (text, binary or pong), or nil when the connection has ended.
    package func receive() async -> WebSocketMessage? {
        if !held.isEmpty {
            if held.count == Self.maxHeldMessages { transport.setReading(true) }
            return held.removeFirst()
        }
        guard phase == .open || phase == .closing else { return nil }
        return await withCheckedContinuation { receivers.append($0) }
    }

    /// Stops or resumes reading, to play a slow client.
    package func setReading(_ enabled: Bool) { transport.setReading(enabled) }

    /// Begins the close handshake; ``receive()`` returns nil when it is over.
    package func close(_ code: CloseCode = .normal, reason: String = "") {
        guard phase == .open else { return }
        transport.send(encode(.close, FrameWriter.closePayload(code, reason)))
        phase = .closing
    }

    /// Drops the connection without a word.
    package func abort() { transport.close() }

    private func open(_ request: [UInt8], _ timeout: Duration) async throws {
        try transport.start(delegate: self)
        transport.send(request)
        let timer = loop.schedule(after: timeout) { [transport] in transport.close(SocketError(.timedOut, "no answer"))
        }
        defer { loop.cancel(timer) }
        try await withCheckedThrowingContinuation { opened = $0 }
    }

    private func send(_ opcode: Opcode, _ payload: [UInt8]) throws {
        guard phase == .open else { throw WebSocketClientError.closed }
        transport.send(encode(opcode, payload))
    }

    private func encode(_ opcode: Opcode, _ payload: [UInt8]) -> [UInt8] {
        FrameWriter.encode(opcode, payload, isFinal: true, maskKey: UInt32.random(in: .min ... .max))
    }

    // MARK: What the transport reports

    package nonisolated func transportReceived(_ bytes: ArraySlice<UInt8>) { assumeIsolated { $0.received(bytes) } }
    package nonisolated func transportReachedEnd() { transport.closeAfterFlush() }
    package nonisolated func transportDrained() {}
    package nonisolated func transportClosed(_ error: SocketError?) { assumeIsolated { $0.closed(error) } }

    private func received(_ bytes: ArraySlice<UInt8>) {
        guard phase == .opening else { return readFrames(bytes) }
        do throws(WebSocketClientError) {
            guard let rest = try answer.take(bytes) else { return }
            subprotocol = try answer.check(key: key)
            extensions = answer.extensions
            phase = .open
            opened?.resume()
            opened = nil
            readFrames(rest)
        } catch {
            opened?.resume(throwing: error)
            opened = nil
            transport.close()
        }
    }

    private func readFrames(_ bytes: ArraySlice<UInt8>) {
        do throws(WebSocketError) {
            var offset = 0
            while phase != .closed, let part = try parser.next(bytes.span, &offset) {
                if let message = try assembler.take(part) { handle(message) }
            }
        } catch {
            (closeCode, closeReason) = (error.code, error.message)
            transport.send(encode(.close, FrameWriter.closePayload(error.code, error.message)))
            transport.closeAfterFlush()
        }
    }

    private func handle(_ message: WebSocketMessage) {
        switch message {
        case .text, .binary, .pong: deliver(message)
        case .ping(let payload): transport.send(encode(.pong, payload))
        case .close(let code, let reason):
            (closeCode, closeReason) = (code, reason)
            if phase == .open { transport.send(encode(.close, FrameWriter.closePayload(code, ""))) }
            phase = .closing
        }
    }

    private func deliver(_ message: WebSocketMessage) {
        guard receivers.isEmpty else { return receivers.removeFirst().resume(returning: message) }
        held.append(message)
        if held.count == Self.maxHeldMessages { transport.setReading(false) }
    }

    private func closed(_ error: SocketError?) {
        phase = .closed
        opened?.resume(throwing: error ?? SocketError(.closed, "closed before the answer"))
        opened = nil
        for receiver in receivers { receiver.resume(returning: nil) }
        receivers = []
    }
}

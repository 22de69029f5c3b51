package import Sockets
import Platform

/// The server's end of one WebSocket (RFC 6455).
///
/// Lives on its connection's loop; every method is called there and returns at once. Frames enqueued in one turn leave
/// in one system call at its end. Idle, it holds no buffer.
package actor WebSocketSession: ServedConnection, TransportDelegate {
    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    /// The other end.
    package nonisolated var peer: SocketAddress { transport.peer }

    /// What became of a frame.
    package enum Enqueued: Sendable { case queued, full, closed }

    private enum Phase { case open, closing, gone }

    /// Bytes not on the wire yet that the kernel holds besides the outbox.
    static let kernelBytes = 128 * 1024

    private nonisolated let transport: Transport
    private nonisolated let server: ServerLoop
    private nonisolated let settings: WebSocketSettings
    private let compression: MessageCompression?
    private var delegate: (any WebSocketDelegate)?
    private var parser: FrameParser
    private var assembler: MessageAssembler
    private var phase = Phase.open
    private var deadline: Int64
    private var awaitsPong = false
    private var sentCode = CloseCode.abnormal
    private var sentReason = ""

    init(
        transport: Transport, server: ServerLoop, settings: WebSocketSettings, compression: MessageCompression? = nil
    ) {
        self.transport = transport
        self.server = server
        self.settings = settings
        self.compression = compression
        loop = transport.loop
        parser = FrameParser(
            role: .server, limitBytes: settings.messageBytes, allowsCompression: compression != nil)
        assembler = MessageAssembler(limitBytes: settings.messageBytes)
        deadline = MonotonicTime.now() + settings.pingInterval.nanosecondsClamped
    }

    // MARK: For the owner, on the loop

    /// Queues a shared frame; `.full` when the outbox would pass its limit, and then nothing is queued.
    package nonisolated func enqueue(_ frame: Frame) -> Enqueued { assumeIsolated { $0.put(frame) } }

    /// Bytes the client has not taken yet.
    package nonisolated var pendingBytes: Int { transport.pendingBytes }

    /// Begins the close handshake; what was queued leaves first. Idempotent.
    package nonisolated func close(_ code: CloseCode, reason: String = "") {
        assumeIsolated { $0.beginClose(code, reason) }
    }

    /// Stops or resumes reading: backpressure towards the client. While stopped, no ping is sent and none fails.
    package nonisolated func setReading(_ enabled: Bool) {
        assumeIsolated { $0.extendDeadline() }
        transport.setReading(enabled)
    }

    /// Asks for one ``WebSocketDelegate/webSocketDrained()``, when all that is queued has left.
    package nonisolated func notifyWhenDrained() { transport.notifyWhenDrained() }

    // MARK: What the connection and the transport report

    nonisolated func open(_ make: (WebSocketSession) -> any WebSocketDelegate) {
        transport.limitUnsent(to: Self.kernelBytes)
        let made = make(self)
        assumeIsolated { if $0.phase != .gone { $0.delegate = made } }
    }

    package nonisolated func transportReceived(_ bytes: ArraySlice<UInt8>) { assumeIsolated { $0.received(bytes) } }
    package nonisolated func transportReachedEnd() { assumeIsolated { $0.reachedEnd() } }
    package nonisolated func transportDrained() { assumeIsolated { $0.delegate?.webSocketDrained() } }
    package nonisolated func transportClosed(_ error: SocketError?) { assumeIsolated { $0.closed() } }

    nonisolated func tick(_ now: Int64) { assumeIsolated { if now >= $0.deadline { $0.deadlinePassed() } } }
    nonisolated func drain() { assumeIsolated { $0.shutDown() } }
    nonisolated func abort() { transport.close() }

    private func put(_ frame: Frame) -> Enqueued {
        guard phase == .open, !transport.isClosed else { return .closed }
        let bytes = wire(frame)
        guard transport.pendingBytes + bytes.count <= settings.outboxBytes else { return .full }
        transport.send(bytes)
        return .queued
    }

    private func wire(_ frame: Frame) -> [UInt8] {
        guard let compression else { return frame.bytes }
        return server.assumeIsolated { $0.bytes(of: frame, compression) }
    }

    private func received(_ bytes: ArraySlice<UInt8>) {
        extendDeadline()
        do throws(WebSocketError) {
            var offset = 0
            while phase != .gone, let part = try parser.next(bytes.span, &offset) {
                if let message = try assembler.take(part) { handle(message) }
            }
        } catch {
            fail(error)
        }
    }

    private func handle(_ message: WebSocketMessage) {
        switch message {
        case .text, .binary:
            if phase == .open { delegate?.webSocketReceived(message) }
        case .ping(let payload):
            // A client that pings without reading is slow like any other: its pong must not grow the outbox.
            if phase == .open { _ = put(Frame(.pong, payload)) }
        case .pong:
            break
        case .close(let code, let reason):
            peerClosed(code, reason)
        }
    }

    /// RFC 6455 §5.5.1: answer a close frame with one, then the server hangs up first (§7.1.1).
    private func peerClosed(_ code: CloseCode, _ reason: String) {
        if phase == .open { transport.send(Frame.close(code, reason: "").bytes) }
        let (ownCode, ownReason) = (sentCode, sentReason)
        let weBegan = phase == .closing
        phase = .gone
        hangUp()
        finish(weBegan ? ownCode : code, weBegan ? ownReason : reason)
    }

    private func beginClose(_ code: CloseCode, _ reason: String) {
        guard phase == .open, !transport.isClosed else { return }
        phase = .closing
        (sentCode, sentReason) = (code, reason)
        transport.send(Frame.close(code, reason: reason).bytes)
        deadline = MonotonicTime.now() + settings.closeTimeout.nanosecondsClamped
        transport.setReading(true)
    }

    /// RFC 6455 §7.1.7: say why, and hang up without waiting.
    private func fail(_ error: WebSocketError) {
        if phase == .open { transport.send(Frame.close(error.code, reason: error.message).bytes) }
        phase = .gone
        hangUp()
        finish(error.code, error.message)
    }

    /// Half-close first: closing with unread bytes would reset the connection and lose our close frame.
    private func hangUp() {
        deadline = MonotonicTime.now() + settings.closeTimeout.nanosecondsClamped
        transport.setReading(true)
        transport.shutdownSendAfterFlush()
    }

    private func finish(_ code: CloseCode, _ reason: String) {
        let told = delegate
        delegate = nil
        told?.webSocketClosed(code, reason: reason)
    }

    private func reachedEnd() {
        if phase != .gone { finish(phase == .closing ? sentCode : .abnormal, phase == .closing ? sentReason : "") }
        phase = .gone
        transport.closeAfterFlush()
    }

    private func closed() {
        if phase != .gone { finish(phase == .closing ? sentCode : .abnormal, phase == .closing ? sentReason : "") }
        phase = .gone
        server.assumeIsolated { $0.remove(self) }
    }

    private func shutDown() {
        guard phase == .open else { return }
        delegate?.webSocketWillShutDown()
        beginClose(.goingAway, "The server is shutting down.")
    }

    // MARK: Keeping alive

    private func extendDeadline() {
        guard phase == .open else { return }
        awaitsPong = false
        deadline = MonotonicTime.now() + settings.pingInterval.nanosecondsClamped
    }

    private func deadlinePassed() {
        guard phase == .open else { return transport.close() }
        if awaitsPong {
            return fail(WebSocketError(.internalError, "The client did not answer a ping."))
        }
        awaitsPong = true
        transport.send(Frame(.ping, []).bytes)
        deadline = MonotonicTime.now() + settings.pongTimeout.nanosecondsClamped
    }
}

import Platform
import Sockets

/// Moves bytes both ways between a client and another server; what one end does not take stops the other from sending.
actor TunnelSession: ServedConnection, TransportDelegate {
    private enum Phase {
        /// Nothing of the answer's status line is known; the client must wait.
        case waiting
        /// The answer is not 101: it goes to the client, nothing goes back.
        case refused
        case open
        case gone
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private nonisolated let client: Transport
    private nonisolated let upstream: Transport
    private nonisolated let server: ServerLoop
    private nonisolated let settings: TunnelSettings
    private let opening: [UInt8]
    private var upstreamSide: UpstreamSide?
    private var phase = Phase.waiting
    private var statusLine: [UInt8] = []
    private var early: [UInt8] = []
    private var deadline: Int64
    private var clientEnded = false

    /// `HTTP/1.1 101` is as much of the answer as decides.
    private static let switching = Array("HTTP/1.1 101".utf8)
    /// Bytes a client may send before the answer; more waits in the kernel.
    private static let maxEarlyBytes = 64 * 1024

    init(client: Transport, server: ServerLoop, tunnel: Tunnel) {
        self.client = client
        self.server = server
        upstream = tunnel.upstream
        opening = tunnel.opening
        settings = tunnel.settings
        loop = client.loop
        deadline = MonotonicTime.now() + tunnel.settings.answerTimeout.nanosecondsClamped
    }

    /// Sends the request on. Throws when the other server's socket can not be watched.
    nonisolated func open() throws(SocketError) {
        let side = UpstreamSide(session: self)
        assumeIsolated { $0.upstreamSide = side }
        try upstream.start(delegate: side)
        assumeIsolated { $0.upstream.send($0.opening) }
    }

    // MARK: From the client

    nonisolated func transportReceived(_ bytes: ArraySlice<UInt8>) { assumeIsolated { $0.clientSent(bytes) } }
    nonisolated func transportReachedEnd() { assumeIsolated { $0.clientReachedEnd() } }
    nonisolated func transportDrained() { upstream.setReading(true) }
    nonisolated func transportClosed(_ error: SocketError?) { assumeIsolated { $0.clientClosed() } }

    private func clientSent(_ bytes: ArraySlice<UInt8>) {
        extendDeadline()
        switch phase {
        case .waiting:
            early.append(contentsOf: bytes)
            if early.count >= Self.maxEarlyBytes { client.setReading(false) }
        case .open: splice(bytes, to: upstream, from: client)
        case .refused, .gone: break
        }
    }

    private func clientReachedEnd() {
        clientEnded = true
        if phase == .open { upstream.shutdownSendAfterFlush() }
    }

    private func clientClosed() {
        phase = .gone
        upstream.close()
        upstreamSide = nil
        server.assumeIsolated { $0.remove(self) }
    }

    // MARK: From the other server

    fileprivate func upstreamSent(_ bytes: ArraySlice<UInt8>) {
        extendDeadline()
        if phase == .waiting { readStatus(bytes) }
        splice(bytes, to: client, from: upstream)
    }

    private func readStatus(_ bytes: ArraySlice<UInt8>) {
        statusLine.append(contentsOf: bytes.prefix(Self.switching.count - statusLine.count))
        guard statusLine == Self.switching else {
            if !Self.switching.starts(with: statusLine) { phase = .refused }
            return
        }
        phase = .open
        extendDeadline()
        if !early.isEmpty { upstream.send(early) }
        early = []
        client.setReading(true)
        if clientEnded { upstream.shutdownSendAfterFlush() }
    }

    fileprivate func upstreamReachedEnd() {
        if phase == .waiting, statusLine.isEmpty { return refuse(Tunnel.unreachable) }
        if phase == .open, !clientEnded {
            client.shutdownSendAfterFlush()
        } else {
            client.closeAfterFlush()
        }
    }

    fileprivate func upstreamDrained() { client.setReading(true) }

    fileprivate func upstreamClosed() {
        guard phase != .gone else { return }
        if phase == .waiting, statusLine.isEmpty { return refuse(Tunnel.unreachable) }
        client.closeAfterFlush()
    }

    // MARK: Both ways

    private func splice(_ bytes: ArraySlice<UInt8>, to other: Transport, from one: Transport) {
        other.send(Array(bytes))  // the slice is the loop's shared buffer
        if other.pendingBytes >= Transport.highWaterBytes { one.setReading(false) }
    }

    private func refuse(_ error: HTTPError) {
        phase = .refused
        let response = server.configuration.renderError(error)
        var body: [UInt8] = []
        if case .bytes(let bytes) = response.content { body = bytes }
        var out: [UInt8] = []
        ResponseWriter.appendHead(
            to: &out, response.status, response.headers, .length(body.count), keepsAlive: false,
            date: server.assumeIsolated { $0.date() })
        client.send(out + body)
        client.closeAfterFlush()
    }

    private func extendDeadline() {
        guard phase != .waiting else { return }
        deadline = MonotonicTime.now() + settings.idleTimeout.nanosecondsClamped
    }

    nonisolated func tick(_ now: Int64) { assumeIsolated { if now >= $0.deadline { $0.deadlinePassed() } } }

    private func deadlinePassed() {
        deadline = .max
        if phase == .waiting, statusLine.isEmpty { refuse(Tunnel.timedOut) } else { client.close() }
    }

    /// Ends the client's side for the other server, which then closes in its own way.
    nonisolated func drain() { assumeIsolated { $0.clientReachedEnd() } }
    nonisolated func abort() { client.close() }
}

/// The tunnel's ear on the other server's connection.
private final class UpstreamSide: TransportDelegate {
    private let session: TunnelSession

    init(session: TunnelSession) { self.session = session }

    func transportReceived(_ bytes: ArraySlice<UInt8>) { session.assumeIsolated { $0.upstreamSent(bytes) } }
    func transportReachedEnd() { session.assumeIsolated { $0.upstreamReachedEnd() } }
    func transportDrained() { session.assumeIsolated { $0.upstreamDrained() } }
    func transportClosed(_ error: SocketError?) { session.assumeIsolated { $0.upstreamClosed() } }
}

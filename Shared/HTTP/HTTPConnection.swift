import Platform
import Sockets

/// One client connection: reads requests, has them answered one at a time in order, and keeps their deadlines.
///
/// A pipelined request waits as bytes until the one before it is answered, so responses leave in order and what is
/// held is bounded. While idle it holds no buffer.
actor HTTPConnection: ServedConnection, TransportDelegate {
    enum Phase {
        /// Between requests, or within a head.
        case head
        case body
        /// A handler is at work.
        case handling
        /// The response's head has left, its body has not.
        case streaming
        /// We have said our last word and wait for the client to hang up.
        case lingering
        /// Closed, or taken over by a WebSocket or a tunnel.
        case gone
    }

    /// A request whose head has been read.
    struct Current {
        let head: RequestHead
        let match: RouteMatch
    }

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let server: ServerLoop
    nonisolated let transport: Transport

    var phase = Phase.head
    var current: Current?
    /// Counts requests, so that an answer that comes after its deadline is known for what it is.
    var number = 0
    var task: Task<Void, Never>?
    /// The moment the present phase has gone on too long.
    var deadline: Int64
    var isDraining = false
    var peerEnded = false
    /// Who has the socket after an upgrade.
    var successor: (any TransportDelegate)?
    var writers: [CheckedContinuation<Void, any Error>] = []

    private var parser: HeadParser
    private var input: [UInt8] = []
    private var body: [UInt8] = []
    private var bodyLeft = 0
    private var decoder: ChunkedDecoder?
    private var isConsuming = false
    private var hasYielded = false
    private var lingeredBytes = 0
    private var lastPendingBytes = 0

    /// Bytes read and dropped after the last response.
    static let maxLingerBytes = 4 * 1024 * 1024
    /// Bytes reserved for a body before it has come; a claim alone costs us no more.
    static let maxReservedBytes = 64 * 1024

    nonisolated var settings: HTTPServerConfiguration { server.configuration }

    init(transport: Transport, server: ServerLoop) {
        self.transport = transport
        self.server = server
        loop = transport.loop
        parser = HeadParser(limits: server.limits)
        deadline = loop.turnStart + server.deadlines.idle
    }

    // MARK: What the transport reports

    nonisolated func transportReceived(_ bytes: ArraySlice<UInt8>) { assumeIsolated { $0.received(bytes) } }
    nonisolated func transportReachedEnd() { assumeIsolated { $0.reachedEnd() } }
    nonisolated func transportDrained() { assumeIsolated { $0.drained() } }
    nonisolated func transportClosed(_ error: SocketError?) { assumeIsolated { $0.closed() } }

    private func received(_ bytes: ArraySlice<UInt8>) {
        switch phase {
        case .gone:
            successor?.transportReceived(bytes)
        case .lingering:
            lingeredBytes += bytes.count
            if lingeredBytes > Self.maxLingerBytes { transport.close() }
        case .head, .body:
            // The usual case: nothing is held over, so the bytes are parsed where the kernel put them.
            guard input.isEmpty, !hasYielded else {
                input.append(contentsOf: bytes)
                return drainInput()
            }
            let used = consuming(bytes)
            keep(bytes.dropFirst(used))
        case .handling, .streaming:
            input.append(contentsOf: bytes)
            if input.count >= server.pipelineBytes { transport.setReading(false) }
        }
    }

    /// The client will send no more; it still reads, so what it asked for is answered (substrate: half-close).
    private func reachedEnd() {
        peerEnded = true
        switch phase {
        case .gone: successor?.transportReachedEnd()
        case .head, .body: if !hasYielded { transport.closeAfterFlush() }
        case .lingering: transport.closeAfterFlush()
        case .handling, .streaming: break
        }
    }

    private func drained() {
        for writer in writers { writer.resume() }
        writers = []
        if phase == .streaming { deadline = .max }
        if hasYielded { yieldEnded() }
    }

    private func closed() {
        guard phase != .gone else { return }
        phase = .gone
        task?.cancel()
        task = nil
        let waiting = writers
        writers = []
        for writer in waiting { writer.resume(throwing: BodyWriter.Closed()) }
        server.assumeIsolated { $0.remove(self) }
    }

    // MARK: Reading requests

    /// Goes on with the bytes that were held over.
    func drainInput() {
        guard !isConsuming, !hasYielded, phase == .head || phase == .body else { return }
        let held = input
        input = []
        let used = held.isEmpty ? 0 : consuming(held[...])
        if used == 0 { input = held } else { keep(held.dropFirst(used)) }
        if input.count < server.pipelineBytes { transport.setReading(true) }
        if peerEnded, !hasYielded, phase == .head || phase == .body { transport.closeAfterFlush() }
    }

    private func keep(_ rest: ArraySlice<UInt8>) {
        guard !rest.isEmpty else { return }
        if phase == .gone {
            successor?.transportReceived(rest)
        } else if phase != .lingering {
            input.append(contentsOf: rest)
        }
    }

    private func consuming(_ bytes: ArraySlice<UInt8>) -> Int {
        isConsuming = true
        defer { isConsuming = false }
        do throws(HTTPError) {
            return try consume(bytes)
        } catch {
            reject(error)
            return bytes.count
        }
    }

    /// Takes whole requests from `bytes`; returns how many were used up. A head that is not whole is not used.
    private func consume(_ bytes: ArraySlice<UInt8>) throws(HTTPError) -> Int {
        var (used, requests) = (0, 0)
        while used < bytes.count {
            let rest = bytes.dropFirst(used)
            switch phase {
            case .head:
                guard requests < server.requestsPerTurn, transport.pendingBytes < Transport.highWaterBytes else {
                    yieldTurn()
                    return used
                }
                guard let (head, count) = try parseHead(rest) else { return used }
                used += count
                requests += 1
                try begin(head, moreHasCome: count < rest.count)
            case .body:
                used += try takeBody(rest)
            case .handling, .streaming, .lingering, .gone:
                return used
            }
        }
        return used
    }

    private func parseHead(_ bytes: ArraySlice<UInt8>) throws(HTTPError) -> (head: RequestHead, consumed: Int)? {
        let hadBegun = parser.hasBegun
        guard let result = try parser.parse(bytes.span) else {
            if !hadBegun { setDeadline(server.deadlines.head) }
            return nil
        }
        parser = HeadParser(limits: server.limits)
        return result
    }

    private func begin(_ head: RequestHead, moreHasCome: Bool) throws(HTTPError) {
        let match = server.handler.match(head)
        current = Current(head: head, match: match)
        guard head.framing != .none else { return dispatch(body: []) }
        let limit = match.route.bodyBytes ?? server.limits.bodyBytes
        if case .length(let length) = head.framing {
            guard length <= limit else { throw .bodyTooLarge }
            bodyLeft = length
            body.reserveCapacity(min(length, Self.maxReservedBytes))
        } else {
            decoder = ChunkedDecoder(limits: server.limits, bodyLimit: limit)
        }
        phase = .body
        setDeadline(server.deadlines.body)
        // RFC 9110 §10.1.1: not needed when the client did not wait.
        if head.expectsContinue, !moreHasCome { transport.send(ResponseWriter.continueHead) }
    }

    private func takeBody(_ bytes: ArraySlice<UInt8>) throws(HTTPError) -> Int {
        let used: Int
        if decoder != nil {
            used = try decoder!.decode(bytes.span, into: &body)
            guard decoder!.isFinished else { return used }
            decoder = nil
        } else {
            used = min(bodyLeft, bytes.count)
            body.append(contentsOf: bytes.prefix(used))
            bodyLeft -= used
            guard bodyLeft == 0 else { return used }
        }
        let whole = body
        body = []
        dispatch(body: whole)
        return used
    }

    private func dispatch(body: [UInt8]) {
        guard let current else { return }
        phase = .handling
        number += 1
        if let instant = current.match.route.instant { return answerAtOnce(current, body, instant) }
        setDeadline(current.match.route.deadline.map(Deadlines.nanoseconds) ?? server.deadlines.handler)
        let number = number
        let task = startAnswer(current, body, number)
        if self.number == number, phase == .handling || phase == .streaming { self.task = task }
    }

    // MARK: Turns and deadlines

    func setDeadline(_ nanoseconds: Int64) { deadline = loop.turnStart + nanoseconds }

    /// Lets other connections have their turn, or this one's client catch up with what it was sent.
    private func yieldTurn() {
        hasYielded = true
        transport.setReading(false)
        if transport.pendingBytes < Transport.highWaterBytes {
            loop.execute { [weak self] in self?.assumeIsolated { $0.yieldEnded() } }
        }
    }

    private func yieldEnded() {
        guard hasYielded else { return }
        hasYielded = false
        transport.setReading(true)
        drainInput()
    }

    nonisolated func tick(_ now: Int64) { assumeIsolated { if now >= $0.deadline { $0.deadlinePassed() } } }

    private func deadlinePassed() {
        guard !isBeingRead() else { return setDeadline(server.deadlines.stall) }
        deadline = .max
        switch phase {
        case .head where parser.hasBegun: reject(.requestTimeout)
        case .body: reject(.requestTimeout)
        case .head, .streaming, .lingering: transport.close()
        case .handling:
            task?.cancel()
            reject(.handlerDeadline)
        case .gone: break
        }
    }

    /// Whether the client has taken some of what we sent since the last look: a long download is not idleness.
    private func isBeingRead() -> Bool {
        guard phase == .head || phase == .streaming || phase == .lingering else { return false }
        let pending = transport.pendingBytes
        defer { lastPendingBytes = pending }
        return pending > 0 && pending != lastPendingBytes
    }

    nonisolated func drain() { assumeIsolated { $0.beginDrain() } }
    nonisolated func abort() { transport.close() }

    private func beginDrain() {
        isDraining = true
        if phase == .head, !parser.hasBegun, input.isEmpty { linger() }
    }

    // MARK: Endings

    /// Says why and hangs up: after such an error the bytes that follow can not be trusted.
    private func reject(_ error: HTTPError) {
        number += 1
        current = nil
        settings.onRejected(error)
        sendWhole(settings.renderError(error), keepsAlive: false, omitsBody: false)
        linger()
    }

    /// RFC 9112 §9.6: half-close, then read on for a while, so that our last words are not lost to a reset.
    func linger() {
        guard phase != .gone else { return }
        phase = .lingering
        current = nil
        (input, body, decoder) = ([], [], nil)
        setDeadline(server.deadlines.linger)
        guard !peerEnded else { return transport.closeAfterFlush() }
        transport.setReading(true)
        transport.shutdownSendAfterFlush()
    }

    /// Gives the socket to another owner.
    func handOver(to next: some TransportDelegate & ServedConnection) {
        phase = .gone
        current = nil
        task = nil
        successor = next
        transport.setDelegate(next)
        transport.setReading(true)
        // In this order, so that a draining server does not see itself empty in between.
        server.assumeIsolated {
            $0.add(next)
            $0.remove(self)
        }
        let rest = input
        input = []
        if !rest.isEmpty { next.transportReceived(rest[...]) }
        if peerEnded { next.transportReachedEnd() }
    }
}

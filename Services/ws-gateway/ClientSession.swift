import Contracts
import Domain
import HTTP
import Platform
import Sockets

/// One socket: reads what the client says, bounds what it may be sent, and closes it with a reason when it must.
///
/// Lives on its session's loop, like the hub, so calls between them need no hop.
actor ClientSession: WebSocketDelegate {
    /// Messages a second that a client may send, and how many at once.
    static let messagesPerSecond = 10.0
    static let messageBurst = 20.0
    /// Refused messages after which the socket is closed with 4029.
    static let maxRefusals = 50
    /// Above this share of the outbox, replay waits and token deltas are dropped.
    static let roomShare = 2

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    nonisolated let id: String
    private nonisolated let session: WebSocketSession
    private nonisolated let hub: Hub
    nonisolated let principal: Principal
    /// The shared link that it came by; nil for who has a credential.
    nonisolated let link: SharedLink?
    /// How it wants to be told.
    nonisolated let wishes: ClientWishes
    private nonisolated let outboxBytes: Int
    private nonisolated let log: Log
    private nonisolated let onClosed: @Sendable () -> Void
    private nonisolated let openedAt = BootInstant.now()
    private var tokens = ClientSession.messageBurst
    private var lastRefill = MonotonicTime.now()
    private var refusals = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var isClosed = false
    private var expiry: LoopTimer?
    private var warnedNotSubscribed = false
    private var confined: [DebateID: Subscription] = [:]
    /// What goes with the end of this turn, for who asked for arrays.
    private var batch = MessageBatch()
    /// Why we ended it; nil while we have not.
    private var ending: CloseReason?

    init(
        session: WebSocketSession, hub: Hub, principal: Principal, link: SharedLink? = nil,
        wishes: ClientWishes = ClientWishes(), id: String, outboxBytes: Int, log: Log,
        onClosed: @escaping @Sendable () -> Void = {}
    ) {
        self.onClosed = onClosed
        self.session = session
        self.hub = hub
        self.principal = principal
        self.link = link
        self.wishes = wishes
        self.id = id
        self.outboxBytes = outboxBytes
        self.log = log
        loop = session.loop
    }

    /// What this client watches; the hub's to change, on the loop they share.
    nonisolated var subscriptions: [DebateID: Subscription] {
        get { assumeIsolated { Unchecked($0.confined) }.value }
        set {
            let box = Unchecked(newValue)
            assumeIsolated { $0.confined = box.value }
        }
    }

    /// Greets, and shows the debate that the URL named.
    nonisolated func begin(_ named: ClientMessage.Subscription?, version: String, authenticated: Bool) {
        let info = ServerMessage.ConnectionInfo(serverVersion: version, clientID: id, authenticated: authenticated)
        send(.connected(info))
        send(.connectionInfo(info))
        hub.assumeIsolated { $0.add(self) }
        log.info("client connected")
        assumeIsolated { $0.watchExpiry() }
        if let named { subscribe(named) }
    }

    // MARK: Sending

    nonisolated func send(_ message: ServerMessage) {
        let now = ISO8601.string(milliseconds: WallClock.nowMilliseconds())
        if case .full = put(.text(message.encode(timestamp: now)), isShared: false) { closeSlow() }
    }

    /// - Parameter lastSeq: where the client resumes when it is too slow for this frame.
    nonisolated func sendEvent(_ entry: FeedEntry, lastSeq: Int64) -> WebSocketSession.Enqueued {
        guard let frame = link == nil ? entry.frame : entry.linkFrame else {
            close(.internalError)
            return .closed
        }
        return put(frame, lastSeq: lastSeq)
    }

    /// Of what was there, made for who wants it like this one does.
    nonisolated func sendSnapshot(_ frame: Frame, lastSeq: Int64) -> WebSocketSession.Enqueued {
        flush()
        let result = session.enqueue(frame)
        if case .full = result { closeSlow(lastSeq) }
        return result
    }

    private nonisolated func put(_ frame: Frame, lastSeq: Int64) -> WebSocketSession.Enqueued {
        let result = put(frame, isShared: true, after: lastSeq)
        if case .full = result { closeSlow(lastSeq) }
        return result
    }

    /// - Parameter isShared: whether others are sent the same bytes.
    private nonisolated func put(
        _ frame: Frame, isShared: Bool, after lastSeq: Int64? = nil
    ) -> WebSocketSession.Enqueued {
        guard wishes.arrays else { return session.enqueue(frame) }
        return assumeIsolated { $0.gather(frame, isShared, after: lastSeq) }
    }

    private func gather(_ frame: Frame, _ isShared: Bool, after lastSeq: Int64?) -> WebSocketSession.Enqueued {
        guard !isClosed, ending == nil else { return .closed }
        guard pendingBytes + frame.bytes.count + MessageBatch.overheadBytes <= outboxBytes else { return .full }
        if !batch.takes(frame, isShared: isShared) { flushBatch() }
        if batch.isEmpty { loop.atEndOfTurn { [weak self] in self?.flush() } }
        batch.add(frame, isShared: isShared, after: lastSeq)
        return .queued
    }

    /// Sends what was gathered, which there was room for.
    private nonisolated func flush() {
        if wishes.arrays { assumeIsolated { $0.flushBatch() } }
    }

    private func flushBatch() {
        guard !batch.isEmpty else { return }
        let due = batch
        batch.clear()
        let array =
            due.isShared ? hub.assumeIsolated { $0.arrays.array(of: due.frames) } : SharedArrays.make(due.frames)
        // Pongs of the same turn may have taken the room.
        if case .full = session.enqueue(array) { closeSlow(due.lastSeq) }
    }

    /// A token delta: the first thing a slow client goes without.
    /// - Returns: false when it did.
    nonisolated func sendDroppable(_ frame: Frame) -> Bool {
        guard !isBehind else { return false }
        if case .full = put(frame, isShared: true) { return false }
        return true
    }

    /// Bytes that wait for the client.
    nonisolated var pendingBytes: Int {
        wishes.arrays ? session.pendingBytes + assumeIsolated { $0.batch.bytes } : session.pendingBytes
    }
    /// Whether so much waits that nothing is added which can be done without.
    nonisolated var isBehind: Bool { pendingBytes >= outboxBytes / Self.roomShare }

    /// Whether so much may be added, which is always so when nothing waits.
    nonisolated func hasRoom(for bytes: Int) -> Bool {
        let pending = pendingBytes
        return pending == 0 || pending + bytes <= outboxBytes / Self.roomShare
    }

    /// A client that is behind has more than a heartbeat to read.
    nonisolated func sendHeartbeat() {
        guard !isBehind else { return }
        send(.heartbeat(serverTime: WallClock.nowMilliseconds(), subscriptions: subscriptions.count))
    }

    /// Suspends while the client has more to take than a replay should add to, with so much as it is about to add.
    nonisolated func waitForRoom(for bytes: Int = 0) async {
        // Several replays may wait: the room that one found, another may have filled.
        while isBehind || !hasRoom(for: bytes), await wait() {}
    }

    /// - Returns: false when the socket is closed.
    private func wait() async -> Bool {
        guard !isClosed else { return false }
        flushBatch()
        await withCheckedContinuation { continuation in
            waiters.append(continuation)
            session.notifyWhenDrained()
        }
        return !isClosed
    }

    /// - Parameter lastSeq: of the debate whose event had no room; else the only debate's. With several the client knows
    ///   better where it was in each.
    private nonisolated func closeSlow(_ lastSeq: Int64? = nil) {
        let code = Contracts.CloseCode.slowConsumer
        let watched = subscriptions.values
        let lastSeq = lastSeq ?? (watched.count == 1 ? watched.first?.lastSeq ?? 0 : 0)
        flush()
        end(.slow)
        session.close(
            HTTP.CloseCode(rawValue: code.rawValue), reason: Contracts.CloseCode.slowConsumerReason(lastSeq: lastSeq))
    }

    /// Notes once why the connection ends.
    private nonisolated func end(_ reason: CloseReason) {
        let isFirst = assumeIsolated { client in
            guard client.ending == nil else { return false }
            client.ending = reason
            return true
        }
        if isFirst { hub.assumeIsolated { $0.closing(reason) } }
    }

    /// Turns a page of another site away, before it hears anything.
    nonisolated func refuseOrigin() { close(.originRefused) }

    nonisolated func close(_ code: Contracts.CloseCode) {
        switch code {
        case .internalError: end(.error)
        case .originRefused: end(.origin)
        case .tokenExpired: end(.expired)
        case .rateLimited: end(.rate)
        default: end(.protocol)
        }
        flush()
        session.close(HTTP.CloseCode(rawValue: code.rawValue), reason: code.reason)
    }

    // MARK: Receiving

    nonisolated func webSocketReceived(_ message: WebSocketMessage) { assumeIsolated { $0.received(message) } }
    nonisolated func webSocketDrained() { assumeIsolated { $0.wakeWaiters() } }

    nonisolated func webSocketWillShutDown() {
        send(.warning(.shuttingDown, message: "this gateway stops; connect again and resume"))
        flush()
        end(.shutdown)
    }

    nonisolated func webSocketClosed(_ code: HTTP.CloseCode, reason: String) {
        hub.assumeIsolated { $0.remove(self) }
        end(Self.reason(of: code))
        onClosed()
        log.info(
            "client disconnected", .status(Int(code.rawValue)), .duration(BootInstant.now().since(openedAt)))
        assumeIsolated { $0.closed() }
    }

    /// Of an end that we did not begin.
    private static func reason(of code: HTTP.CloseCode) -> CloseReason {
        switch code {
        case .abnormal: .lost
        case .internalError: .unresponsive
        case .protocolError, .invalidPayload, .messageTooBig: .protocol
        default: .client
        }
    }

    private func closed() {
        isClosed = true
        if let expiry { loop.cancel(expiry) }
        wakeWaiters()
    }

    private func wakeWaiters() {
        let due = waiters
        waiters = []
        for waiter in due { waiter.resume() }
    }

    private func received(_ message: WebSocketMessage) {
        guard case .text(let text) = message else { return close(.unsupportedData) }
        guard admit() else { return }
        do throws(ClientMessage.Refusal) {
            answer(try ClientMessage.parse(Array(text.utf8)))
            refusals = max(0, refusals - 1)
        } catch {
            refused(error.code, error.message)
        }
    }

    private func answer(_ message: ClientMessage) {
        switch message {
        case .subscribe(let subscription): subscribe(subscription)
        case .unsubscribe(let debate): hub.assumeIsolated { $0.unsubscribe(self, debate) }
        case .ping(let clock):
            send(.pong(clientTimestamp: clock, serverTime: WallClock.nowMilliseconds()))
            warnOnceIfNotSubscribed()
        case .listDebates: send(.loopList([]))
        case .unsupported(let type): refused(.unknownType, "\"\(type)\" is not known here")
        }
    }

    private nonisolated func subscribe(_ subscription: ClientMessage.Subscription) {
        guard principal.may(.debatesRead, debate: subscription.debateID) else {
            return send(
                .error(.permissionDenied, message: "you may not read this debate", debateID: subscription.debateID))
        }
        hub.assumeIsolated { $0.subscribe(self, subscription) }
    }

    /// The official client reconnects without naming its debate and would wait in silence.
    private func warnOnceIfNotSubscribed() {
        guard confined.isEmpty, !warnedNotSubscribed else { return }
        warnedNotSubscribed = true
        send(.warning(.notSubscribed, message: "subscribe to a debate to receive its events"))
    }

    private func admit() -> Bool {
        let now = MonotonicTime.now()
        tokens = min(Self.messageBurst, tokens + Double(now - lastRefill) / 1e9 * Self.messagesPerSecond)
        lastRefill = now
        guard tokens >= 1 else {
            refused(.rateLimited, "at most \(Int(Self.messagesPerSecond)) messages a second")
            return false
        }
        tokens -= 1
        return true
    }

    private func refused(_ code: WarningCode, _ message: String) {
        refusals += 1
        guard refusals <= Self.maxRefusals else { return close(.rateLimited) }
        send(.warning(code, message: message))
    }

    private func watchExpiry() {
        guard let expires = principal.expires else { return }
        let left = Duration.milliseconds(expires.milliseconds - WallClock.nowMilliseconds())
        expiry = loop.schedule(after: left) { [weak self] in self?.expired() }
    }

    /// The credential was revoked: nothing more is sent.
    nonisolated func dismiss() {
        let what = link == nil ? "credential" : "link"
        send(.authRevoked(message: "the \(what) of this connection was revoked"))
        close(.tokenExpired)
    }

    private nonisolated func expired() {
        let what = link == nil ? "token" : "link"
        send(.authRevoked(message: "the \(what) of this connection has expired"))
        close(.tokenExpired)
    }
}

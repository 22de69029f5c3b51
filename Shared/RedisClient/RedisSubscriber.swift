package import Platform
package import Sockets

/// A pub/sub connection that comes back by itself and then subscribes again to all that is wanted.
///
/// Messages published while it was away are lost: after each `onSubscribed` callback, read again what the messages
/// would have told.
package actor RedisSubscriber {
    package enum State: Sendable, Equatable {
        case idle
        /// The number of the connection, from 1; everything wanted is subscribed.
        case connected(generation: Int)
        /// The message says why.
        case disconnected(String)
        case closed
    }

    /// Channels in one SUBSCRIBE.
    static let maxChannelsPerCommand = 256

    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    package private(set) var state = State.idle
    private let configuration: RedisConfiguration
    private let log: Log
    private let onMessage: @Sendable (_ channel: String, _ payload: [UInt8]) -> Void
    private let onStateChange: @Sendable (State) -> Void
    private var wanted: Set<String> = []
    private var link: RedisLink?
    private var keeper: Task<Void, Never>?
    private var generation = 0
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWaiter = 0

    /// - Parameters:
    ///   - onMessage: called on the loop for each message, in order; must not block.
    ///   - onStateChange: called on the loop. `.connected(generation:)` comes after everything wanted has been confirmed
    ///     on a new connection, the first one included: the moment to read again.
    package init(
        loop: EventLoop, configuration: RedisConfiguration, log: Log = .disabled,
        onMessage: @escaping @Sendable (_ channel: String, _ payload: [UInt8]) -> Void,
        onStateChange: @escaping @Sendable (State) -> Void = { _ in }
    ) {
        self.loop = loop
        self.configuration = configuration
        self.log = log
        self.onMessage = onMessage
        self.onStateChange = onStateChange
    }

    /// Begins to connect, and to connect again whenever the connection is lost, until ``close()``.
    package func start() {
        guard keeper == nil, state != .closed else { return }
        keeper = Task(executorPreference: loop) { await self.keepConnected() }
    }

    /// ``start()``, and the first connection awaited.
    /// - Throws: ``RedisError`` `.unavailable` after `timeout`; connecting goes on in the background.
    package func connect(timeout: Duration = .seconds(5)) async throws(RedisError) {
        start()
        guard !isConnected else { return }
        guard state != .closed else { throw RedisError(.closed, "subscriber closed") }
        nextWaiter += 1
        let id = nextWaiter
        let timer = loop.schedule(after: timeout) { self.assumeIsolated { $0.resumeWaiter(id) } }
        await withCheckedContinuation { waiters[id] = $0 }
        loop.cancel(timer)
        guard isConnected else { throw RedisError(.unavailable, "no connection within \(timeout)") }
    }

    /// Subscribes; returns only after Redis has confirmed it, so that a read that follows misses nothing.
    ///
    /// The channel stays wanted until ``unsubscribe(_:)``, also when this throws: it is subscribed as soon as Redis is
    /// back, and the state change tells. Subscribing twice is one subscription.
    package func subscribe(_ channel: String) async throws(RedisError) {
        guard state != .closed else { throw RedisError(.closed, "subscriber closed") }
        wanted.insert(channel)
        guard let link else { throw RedisError(.unavailable, "not connected; the channel stays wanted") }
        try Self.requireConfirmation(
            try await link.ask(RedisCommand("SUBSCRIBE", channel), timeout: configuration.commandTimeout))
    }

    /// Ends a subscription; does not wait for Redis. A message that is on its way may still come.
    package func unsubscribe(_ channel: String) {
        guard wanted.remove(channel) != nil else { return }
        link?.send(RedisCommand("UNSUBSCRIBE", channel), timeout: configuration.commandTimeout) { _ in }
    }

    /// Bytes that Redis has sent and this loop has not read: how far it is behind. Redis itself cuts a subscriber that
    /// falls behind for long.
    package var unreadBytes: Int { link?.unreadBytes ?? 0 }

    /// The channels that are wanted now.
    package var channels: Set<String> { wanted }

    /// Ends the connection for good and awaits its background task.
    package func close() async {
        guard state != .closed else { return }
        change(.closed)
        keeper?.cancel()
        link?.close(RedisError(.closed, "subscriber closed"))
        await keeper?.value
    }

    // MARK: Keeping the connection

    private var isConnected: Bool { if case .connected = state { true } else { false } }

    private func keepConnected() async {
        var backoff = configuration.backoff
        while !Task.isCancelled, state != .closed {
            do throws(RedisError) {
                let link = try await open()
                let since = BootInstant.now()
                let reason = await use(link)
                if BootInstant.now().since(since) >= RedisConnection.steadyAfter { backoff.reset() }
                lost(reason)
            } catch {
                lost(error)
            }
            guard state != .closed, (try? await loop.sleep(for: backoff.next())) != nil else { return }
        }
    }

    private func open() async throws(RedisError) -> RedisLink {
        let deliver = onMessage
        return try await RedisLink.open(loop: loop, configuration: configuration) { reply in
            guard let message = Message(reply) else { return false }
            deliver(message.channel, message.payload)
            return true
        }
    }

    private func use(_ link: RedisLink) async -> RedisError {
        guard state != .closed else {
            link.close(RedisError(.closed, "subscriber closed"))
            return RedisError(.closed, "subscriber closed")
        }
        // From here on subscribe() uses the link itself, so that no channel falls between the two.
        self.link = link
        do throws(RedisError) { try await subscribeAll(on: link) } catch { link.close(error) }
        if link.isOpen, state != .closed {
            generation += 1
            log.info("redis subscriber connected", .peer(configuration.address), .count(wanted.count))
            change(.connected(generation: generation))
            ping(link)
        }
        let reason = await withCheckedContinuation { continuation in
            link.whenClosed { continuation.resume(returning: $0) }
        }
        self.link = nil
        return reason
    }

    private func subscribeAll(on link: RedisLink) async throws(RedisError) {
        var rest = Array(wanted)[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(Self.maxChannelsPerCommand))
            rest = rest.dropFirst(part.count)
            let reply = try await link.ask(
                RedisCommand(words: ["SUBSCRIBE"] + part), timeout: configuration.commandTimeout, replies: part.count)
            try Self.requireConfirmation(reply)
            // Given up while an earlier part was on its way: the UNSUBSCRIBE went out before this SUBSCRIBE.
            for channel in part where !wanted.contains(channel) {
                link.send(RedisCommand("UNSUBSCRIBE", channel), timeout: configuration.commandTimeout) { _ in }
            }
        }
    }

    private static func requireConfirmation(_ reply: RedisReply) throws(RedisError) {
        if case .error(let text) = reply { throw RedisError(reply: text) }
        guard reply.array?.first?.text == "subscribe" else { throw RedisError(.unexpectedReply, "SUBSCRIBE") }
    }

    /// Asks at every interval; an answer that does not come within the command timeout ends the link.
    private func ping(_ link: RedisLink) {
        loop.schedule(after: configuration.pingInterval) { [weak self, weak link] in
            guard let self, let link, link.isOpen else { return }
            assumeIsolated { $0.sendPing(on: link) }
        }
    }

    private func sendPing(on link: RedisLink) {
        link.send(RedisCommand("PING"), timeout: configuration.commandTimeout) { _ in }
        ping(link)
    }

    private func lost(_ error: RedisError) {
        guard state != .closed else { return }
        if state != .disconnected(error.message) {
            log.warning(
                "redis subscriber unavailable", .peer(configuration.address), .errorCode(error.code.rawValue),
                .error(error))
        }
        change(.disconnected(error.message))
    }

    private func change(_ new: State) {
        guard new != state else { return }
        state = new
        onStateChange(new)
        guard isConnected || new == .closed else { return }
        for id in waiters.keys.sorted() { resumeWaiter(id) }
    }

    private func resumeWaiter(_ id: Int) { waiters.removeValue(forKey: id)?.resume() }
}

/// A published message: `["message", channel, payload]`.
private struct Message {
    let channel: String
    let payload: [UInt8]

    init?(_ reply: RedisReply) {
        guard case .array(let items) = reply, items.count == 3, items[0] == .string(Self.kind),
            let channel = items[1].text, let payload = items[2].bytes
        else { return nil }
        self.channel = channel
        self.payload = payload
    }

    private static let kind = Array("message".utf8)
}

package import Platform
package import Sockets

/// A pub/sub connection that comes back by itself and then subscribes again to all that is wanted.
///
/// In a cluster, ``isSharded`` channels are followed at the nodes that have their slots; when one of these is lost, or a
/// slot moves, everything is subscribed again.
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
    /// Whether the channels are spread over a cluster's nodes by their slots; only where there is a cluster.
    private let isSharded: Bool
    private var wanted: Set<String> = []
    private var line: SubscriberLine?
    private var knownNodes: [RedisNode] = []
    /// Sharded channels that we have given up and Redis has not confirmed: its word for that is its word for a move.
    private var leaving: [String: Int] = [:]
    private var keeper: Task<Void, Never>?
    private var generation = 0
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWaiter = 0

    /// - Parameters:
    ///   - isSharded: whether messages come by SPUBLISH where Redis is a cluster; without one it makes no difference.
    ///   - onMessage: called on the loop for each message, in order; must not block.
    ///   - onStateChange: called on the loop. `.connected(generation:)` comes after everything wanted has been confirmed
    ///     on a new connection, the first one included: the moment to read again.
    package init(
        loop: EventLoop, configuration: RedisConfiguration, log: Log = .disabled, isSharded: Bool = false,
        onMessage: @escaping @Sendable (_ channel: String, _ payload: [UInt8]) -> Void,
        onStateChange: @escaping @Sendable (State) -> Void = { _ in }
    ) {
        self.loop = loop
        self.configuration = configuration
        self.log = log
        self.isSharded = isSharded && configuration.endpoint.topology.isCluster
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
        guard let line else { throw RedisError(.unavailable, "not connected; the channel stays wanted") }
        try await line.subscribe([channel], timeout: configuration.commandTimeout)
    }

    /// Ends a subscription; does not wait for Redis. A message that is on its way may still come.
    package func unsubscribe(_ channel: String) {
        guard wanted.remove(channel) != nil else { return }
        leave(channel)
    }

    private func leave(_ channel: String) {
        guard let line else { return }
        leaving[channel, default: 0] += 1
        line.unsubscribe(channel, timeout: configuration.commandTimeout) { [weak self] in
            self?.assumeIsolated { $0.left(channel) }
        }
    }

    private func left(_ channel: String) {
        let count = leaving[channel, default: 1] - 1
        leaving[channel] = count > 0 ? count : nil
    }

    /// Bytes that Redis has sent and this loop has not read: how far it is behind. Redis itself cuts a subscriber that
    /// falls behind for long.
    package var unreadBytes: Int { line?.links.reduce(0) { $0 + $1.unreadBytes } ?? 0 }

    /// The channels that are wanted now.
    package var channels: Set<String> { wanted }

    /// Ends the connection for good and awaits its background task.
    package func close() async {
        guard state != .closed else { return }
        change(.closed)
        keeper?.cancel()
        line?.close(RedisError(.closed, "subscriber closed"))
        await keeper?.value
    }

    // MARK: Keeping the connection

    private var isConnected: Bool { if case .connected = state { true } else { false } }

    private func keepConnected() async {
        var backoff = configuration.backoff
        while !Task.isCancelled, state != .closed {
            do throws(RedisError) {
                let line = try await open()
                let since = BootInstant.now()
                let reason = await use(line)
                if BootInstant.now().since(since) >= RedisConnection.steadyAfter { backoff.reset() }
                lost(reason)
            } catch {
                lost(error)
            }
            guard state != .closed, (try? await loop.sleep(for: backoff.next())) != nil else { return }
        }
    }

    private func open() async throws(RedisError) -> SubscriberLine {
        let deliver = onMessage
        guard isSharded else {
            let link = try await RedisLink.open(loop: loop, configuration: configuration) { reply in
                guard let message = Message(reply, Message.plain) else { return false }
                deliver(message.channel, message.payload)
                return true
            }
            return .link(link)
        }
        let links = try await ClusterLinks.open(
            loop: loop, configuration: configuration, known: knownNodes, isWhole: true
        ) { [weak self] reply in
            if let message = Message(reply, Message.sharded) {
                deliver(message.channel, message.payload)
                return true
            }
            return self?.assumeIsolated { $0.takeMove(reply) } ?? false
        }
        return .shards(links)
    }

    /// A slot has moved to another node, and what is published there does not come here.
    private func takeMove(_ reply: RedisReply) -> Bool {
        guard let items = reply.array, items.count == 3, items[0].text == "sunsubscribe", let channel = items[1].text,
            leaving[channel] == nil
        else { return false }
        line?.close(RedisError(.disconnected, "a slot has moved to another node"))
        return true
    }

    private func use(_ line: SubscriberLine) async -> RedisError {
        guard state != .closed else {
            line.close(RedisError(.closed, "subscriber closed"))
            return RedisError(.closed, "subscriber closed")
        }
        // From here on subscribe() uses the line itself, so that no channel falls between the two.
        self.line = line
        leaving = [:]
        do throws(RedisError) { try await subscribeAll(on: line) } catch { line.close(error) }
        var watch: PrimaryWatch?
        if line.isOpen, state != .closed {
            generation += 1
            log.info("redis subscriber connected", .peer(line.peer), .count(wanted.count))
            change(.connected(generation: generation))
            ping(line)
            if case .link(let link) = line {
                watch = await PrimaryWatch.begin(over: link, loop: loop, configuration: configuration, log: log)
            }
        }
        let reason = await withCheckedContinuation { continuation in
            line.whenClosed { continuation.resume(returning: $0) }
        }
        self.line = nil
        knownNodes = line.nodes
        await watch?.end()
        return reason
    }

    private func subscribeAll(on line: SubscriberLine) async throws(RedisError) {
        var rest = Array(wanted)[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(Self.maxChannelsPerCommand))
            rest = rest.dropFirst(part.count)
            try await line.subscribe(part, timeout: configuration.commandTimeout)
            // Given up while an earlier part was on its way: the UNSUBSCRIBE went out before this SUBSCRIBE.
            for channel in part where !wanted.contains(channel) { leave(channel) }
        }
    }

    /// Asks at every interval; an answer that does not come within the command timeout ends the link.
    private func ping(_ line: SubscriberLine) {
        loop.schedule(after: configuration.pingInterval) { [weak self] in
            guard let self, line.isOpen else { return }
            assumeIsolated { $0.sendPing(on: line) }
        }
    }

    private func sendPing(on line: SubscriberLine) {
        line.ping(timeout: configuration.commandTimeout)
        ping(line)
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

/// A published message: `["message", channel, payload]`, or `smessage` from a shard.
private struct Message {
    let channel: String
    let payload: [UInt8]

    init?(_ reply: RedisReply, _ kind: [UInt8]) {
        guard case .array(let items) = reply, items.count == 3, items[0] == .string(kind),
            let channel = items[1].text, let payload = items[2].bytes
        else { return nil }
        self.channel = channel
        self.payload = payload
    }

    static let plain = Array("message".utf8)
    static let sharded = Array("smessage".utf8)
}

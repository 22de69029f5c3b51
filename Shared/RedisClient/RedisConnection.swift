package import Platform
package import Sockets

/// A connection to Redis that comes back by itself: many commands in flight, answered in order.
///
/// With sentinels it leads to the primary, and follows it. In a cluster it is one link to each primary, and a command
/// goes to the node that has its key: order holds per key.
///
/// An actor on its loop: call it from tasks on the same loop, and nothing changes threads. While Redis is away commands
/// fail at once with `.unavailable`; what was in flight fails with `.disconnected`, and may have run.
package actor RedisConnection {
    package enum State: Sendable, Equatable {
        case idle
        case connected
        /// The message says why.
        case disconnected(String)
        case closed
    }

    /// A connection that held this long has earned a fresh series of waits.
    static let steadyAfter = Duration.seconds(1)

    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    package private(set) var state = State.idle
    private let configuration: RedisConfiguration
    private let onStateChange: @Sendable (State) -> Void
    private let log: Log
    /// Whether keys are spread over the nodes of a cluster: then all keys of one command are in one slot, and messages are
    /// published by SPUBLISH to those who follow one channel.
    package nonisolated let isCluster: Bool
    private var link: RedisLink?
    /// In a cluster, instead of ``link``.
    private var cluster: ClusterLinks?
    private var knownNodes: [RedisNode] = []
    private var keeper: Task<Void, Never>?
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWaiter = 0
    /// Redis's own first word, when it was Redis that refused the connection.
    private var refusal = ""
    private var scriptHashes: [String: String] = [:]

    /// - Parameter onStateChange: called on the loop at each change.
    package init(
        loop: EventLoop, configuration: RedisConfiguration, log: Log = .disabled,
        onStateChange: @escaping @Sendable (State) -> Void = { _ in }
    ) {
        self.loop = loop
        self.configuration = configuration
        isCluster = configuration.endpoint.topology.isCluster
        self.log = log
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
        try await waitUntilConnected(timeout: timeout)
    }

    /// Waits for a connection, at most `timeout`.
    package func waitUntilConnected(timeout: Duration) async throws(RedisError) {
        guard state != .connected else { return }
        guard state != .closed else { throw RedisError(.closed, "connection closed") }
        nextWaiter += 1
        let id = nextWaiter
        let timer = loop.schedule(after: timeout) { self.assumeIsolated { $0.resumeWaiter(id) } }
        await withCheckedContinuation { waiters[id] = $0 }
        loop.cancel(timer)
        guard state == .connected else { throw unavailable }
    }

    /// Sends one command and returns its reply.
    /// - Parameter timeout: nil means the configuration's. A blocking command needs its block time on top.
    /// - Throws: ``RedisError``; an error reply as `.refused`.
    @discardableResult
    package func send(_ command: RedisCommand, timeout: Duration? = nil) async throws(RedisError) -> RedisReply {
        let reply = try await ask(command, timeout: timeout)
        if case .error(let text) = reply { throw refused(text) }
        return reply
    }

    /// Sends several commands in one go; a reply that is an error stands in its place as `.error`.
    /// - Throws: ``RedisError`` when the connection fails, for all of them.
    package func send(_ commands: [RedisCommand], timeout: Duration? = nil) async throws(RedisError) -> [RedisReply] {
        guard let last = commands.last else { return [] }
        let wait = timeout ?? configuration.commandTimeout
        if let cluster { return try await cluster.ask(commands, timeout: wait) }
        guard let link else { throw unavailable }
        let before = ReplyCollector()
        for command in commands.dropLast() { link.send(command, timeout: wait) { before.answers.append($0) } }
        // Answers come in order: with the last one all others are there.
        let final = try await link.ask(last, timeout: wait)
        var replies: [RedisReply] = []
        for answer in before.answers { replies.append(try answer.get()) }
        return replies + [final]
    }

    /// Sends a command that blocks inside Redis; cancelling the task drops the connection, which comes back.
    ///
    /// Use a connection that serves nothing else: commands behind it wait.
    package func sendBlocking(_ command: RedisCommand, block: Duration) async throws(RedisError) -> RedisReply {
        let loop = loop
        let wait = block + configuration.commandTimeout
        let answer: RedisLink.Answer = await withTaskCancellationHandler {
            guard !Task.isCancelled else { return .failure(RedisError(.closed, "cancelled")) }
            do throws(RedisError) { return .success(try await send(command, timeout: wait)) } catch {
                return .failure(error)
            }
        } onCancel: {
            loop.execute { self.assumeIsolated { $0.drop(command, RedisError(.closed, "cancelled")) } }
        }
        return try answer.get()
    }

    /// Ends the connection for good and awaits its background task. Commands in flight fail with `.closed`.
    package func close() async {
        guard state != .closed else { return }
        change(.closed)
        keeper?.cancel()
        link?.close(RedisError(.closed, "connection closed"))
        cluster?.close(RedisError(.closed, "connection closed"))
        await keeper?.value
    }

    /// The server's link, or that of each primary of a cluster.
    private func primaries() throws(RedisError) -> [RedisLink] {
        let links = try cluster?.each() ?? [link].compactMap { $0 }
        guard !links.isEmpty else { throw unavailable }
        return links
    }

    /// Sends commands without a key to the server, or to each primary of a cluster; a reply that is an error stands in its
    /// place as `.error`.
    /// - Throws: ``RedisError`` when one of them can not be reached, or is lost meanwhile.
    package func sendToEach(_ commands: [RedisCommand]) async throws(RedisError) -> [(RedisNode, [RedisReply])] {
        var answers: [(RedisNode, [RedisReply])] = []
        for link in try primaries() {
            var replies: [RedisReply] = []
            for command in commands {
                replies.append(try await link.ask(command, timeout: configuration.commandTimeout))
            }
            answers.append((link.node, replies))
        }
        return answers
    }

    /// Keys that match a glob: about `count` looked at in each of at most `rounds` steps a node.
    package func scan(match pattern: String, count: Int, rounds: Int) async throws(RedisError) -> [String] {
        var found: [String] = []
        for link in try primaries() {
            var cursor = "0"
            for _ in 0..<rounds {
                let reply = try await link.ask(
                    RedisCommand("SCAN", cursor, "MATCH", pattern, "COUNT", String(count)),
                    timeout: configuration.commandTimeout)
                if case .error(let text) = reply { throw refused(text) }
                guard let parts = reply.array, parts.count == 2, let next = parts[0].text else {
                    throw RedisError(.unexpectedReply, "SCAN")
                }
                found += (parts[1].array ?? []).compactMap(\.text)
                cursor = next
                if cursor == "0" { break }
            }
        }
        return found
    }

    // MARK: Scripts

    /// Runs a script by its hash, and by its text when Redis does not know it (any more).
    @discardableResult
    package func run(
        _ script: LuaScript, keys: [String], arguments: [[UInt8]], timeout: Duration? = nil
    ) async throws(RedisError) -> RedisReply {
        let hash = try await hash(of: script, timeout: timeout)
        do {
            return try await send(script.command("EVALSHA", hash, keys: keys, arguments: arguments), timeout: timeout)
        } catch  where error.serverCode == "NOSCRIPT" {
            return try await send(
                script.command("EVAL", script.source, keys: keys, arguments: arguments), timeout: timeout)
        }
    }

    private func hash(of script: LuaScript, timeout: Duration?) async throws(RedisError) -> String {
        if let known = scriptHashes[script.name] { return known }
        guard let hash = try await send(RedisCommand("SCRIPT", "LOAD", script.source), timeout: timeout).text else {
            throw RedisError(.unexpectedReply, "SCRIPT LOAD \(script.name)")
        }
        scriptHashes[script.name] = hash
        return hash
    }

    // MARK: Keeping the connection

    private func keepConnected() async {
        var backoff = configuration.backoff
        while !Task.isCancelled, state != .closed {
            do throws(RedisError) {
                let use = try await open()
                let since = BootInstant.now()
                let reason = await use()
                if BootInstant.now().since(since) >= Self.steadyAfter { backoff.reset() }
                lost(reason)
            } catch {
                lost(error)
            }
            guard state != .closed, (try? await loop.sleep(for: backoff.next())) != nil else { return }
        }
    }

    /// Connects, and returns what offers the connection to callers until it ends, and tells why it ended.
    private func open() async throws(RedisError) -> () async -> RedisError {
        guard isCluster else {
            let link = try await RedisLink.open(loop: loop, configuration: configuration)
            return { await self.use(link) }
        }
        let cluster = try await ClusterLinks.open(loop: loop, configuration: configuration, known: knownNodes)
        return { await self.use(cluster) }
    }

    private func use(_ cluster: ClusterLinks) async -> RedisError {
        guard state != .closed else {
            cluster.close(RedisError(.closed, "connection closed"))
            return RedisError(.closed, "connection closed")
        }
        self.cluster = cluster
        log.info("redis connected", .peer(configuration.address), .count(cluster.primaries.count))
        change(.connected)
        let reason = await withCheckedContinuation { continuation in
            cluster.whenClosed { continuation.resume(returning: $0) }
        }
        self.cluster = nil
        knownNodes = cluster.primaries
        return reason
    }

    private func use(_ link: RedisLink) async -> RedisError {
        guard state != .closed else {
            link.close(RedisError(.closed, "connection closed"))
            return RedisError(.closed, "connection closed")
        }
        self.link = link
        log.info("redis connected", .peer(link.node.description))
        change(.connected)
        let watch = await PrimaryWatch.begin(over: link, loop: loop, configuration: configuration, log: log)
        let reason = await withCheckedContinuation { continuation in
            link.whenClosed { continuation.resume(returning: $0) }
        }
        self.link = nil
        await watch?.end()
        return reason
    }

    private func lost(_ error: RedisError) {
        guard state != .closed else { return }
        if state != .disconnected(error.message) {
            log.warning(
                "redis unavailable", .peer(configuration.address), .errorCode(error.code.rawValue), .error(error))
        }
        refusal = error.serverCode
        change(.disconnected(error.message))
    }

    private func change(_ new: State) {
        guard new != state else { return }
        state = new
        onStateChange(new)
        guard new == .connected || new == .closed else { return }
        for id in waiters.keys.sorted() { resumeWaiter(id) }
    }

    private func resumeWaiter(_ id: Int) { waiters.removeValue(forKey: id)?.resume() }

    // MARK: Sending

    private func ask(_ command: RedisCommand, timeout: Duration?) async throws(RedisError) -> RedisReply {
        let wait = timeout ?? configuration.commandTimeout
        if let cluster { return try await cluster.ask(command, timeout: wait) }
        guard let link else { throw unavailable }
        return try await link.ask(command, timeout: wait)
    }

    /// Ends the link a command went over.
    private func drop(_ command: RedisCommand, _ error: RedisError) {
        link?.close(error)
        cluster?.drop(command, error)
    }

    private var unavailable: RedisError {
        switch state {
        case .closed: RedisError(.closed, "connection closed")
        case .disconnected(let reason): RedisError(.unavailable, reason, serverCode: refusal)
        case .idle, .connected: RedisError(.unavailable, "not connected yet")
        }
    }

    /// READONLY: a failover made this server a replica; the name may lead to the new primary by now. MOVED: it is a node
    /// of a cluster, which nobody told us; half of the keys would work.
    private func refused(_ text: String) -> RedisError {
        let error = RedisError(reply: text)
        switch error.serverCode {
        case "READONLY": link?.close(RedisError(.disconnected, "the server is a replica now"))
        case "MOVED":
            link?.close(RedisError(.disconnected, "the server is a node of a cluster, which is not the mode set"))
        default: break
        }
        return error
    }
}

/// The answers of a batch but its last; filled on the loop.
private final class ReplyCollector {
    var answers: [RedisLink.Answer] = []
}

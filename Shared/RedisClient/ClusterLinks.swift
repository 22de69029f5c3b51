import Platform
import Sockets

/// Links to all primaries of a cluster, and the map of slots that says which one a command goes to.
///
/// Confined to its loop's thread; its owner is an actor on the same loop. It follows the cluster as it changes (a failed
/// node, slots that move) until its last link is gone or it is closed.
final class ClusterLinks: @unchecked Sendable {  // every entry runs on the loop's thread
    /// Nodes that one command may be sent on to.
    static let maxRedirections = 5
    static let tryAgainWait = Duration.milliseconds(50)

    private let loop: EventLoop
    private let configuration: RedisConfiguration
    private let takePush: RedisLink.Push?
    /// Whether the loss of one link ends them all.
    private let isWhole: Bool
    private var map: SlotMap
    private var links: [RedisNode: RedisLink] = [:]
    private var healer: Task<Void, Never>?
    /// A node has told that the map is not right any more.
    private var isOutdated = false
    private var isClosed = false
    private var onClose: (@Sendable (RedisError) -> Void)?

    private init(
        loop: EventLoop, configuration: RedisConfiguration, map: SlotMap, isWhole: Bool, takePush: RedisLink.Push?
    ) {
        self.loop = loop
        self.configuration = configuration
        self.map = map
        self.isWhole = isWhole
        self.takePush = takePush
    }

    /// Asks one node for the others and connects to all primaries.
    /// - Parameters:
    ///   - known: nodes besides the configured ones.
    ///   - isWhole: fail unless every primary can be reached, and end with the first that is lost.
    static func open(
        loop: EventLoop, configuration: RedisConfiguration, known: [RedisNode], isWhole: Bool = false,
        takePush: RedisLink.Push? = nil
    ) async throws(RedisError) -> ClusterLinks {
        let map = try await ask(loop, configuration, known)
        let all = ClusterLinks(
            loop: loop, configuration: configuration, map: map, isWhole: isWhole, takePush: takePush)
        let failure = await all.connectMissing()
        if let failure, isWhole || all.links.isEmpty {
            all.close(failure)
            throw failure
        }
        all.healIfNeeded()
        return all
    }

    private static func ask(_ loop: EventLoop, _ configuration: RedisConfiguration, _ known: [RedisNode])
        async throws(RedisError) -> SlotMap
    {
        var asked = configuration
        var endpoint = configuration.endpoint
        guard case .cluster(let more) = endpoint.topology else { throw RedisError(.configuration, "not a cluster") }
        endpoint.topology = .anyOf(Array(Set([endpoint.node] + more + known)))
        asked.endpoint = endpoint
        let link = try await RedisLink.open(loop: loop, configuration: asked)
        defer { link.close(RedisError(.closed, "asked")) }
        return try SlotMap(
            try await link.ask(RedisCommand("CLUSTER", "SLOTS"), timeout: configuration.commandTimeout),
            asked: link.node)
    }

    var isOpen: Bool { !isClosed }
    var primaries: [RedisNode] { map.primaries }
    var open: [RedisLink] { Array(links.values) }
    /// Primaries that can not be reached now.
    private var missing: [RedisNode] { map.primaries.filter { links[$0] == nil } }

    func whenClosed(_ callback: @escaping @Sendable (RedisError) -> Void) {
        guard !isClosed else { return callback(RedisError(.disconnected, "connection closed")) }
        onClose = callback
    }

    func close(_ error: RedisError) {
        guard !isClosed else { return }
        isClosed = true
        healer?.cancel()
        let all = links.values
        links = [:]
        for link in all { link.close(error) }
        let callback = onClose
        onClose = nil
        callback?(error)
    }

    // MARK: Commands

    /// Sends a command to the node that has its key, and to where that one sends it on.
    /// - Throws: ``RedisError`` `.unavailable` when that node is away.
    func ask(_ command: RedisCommand, timeout: Duration) async throws(RedisError) -> RedisReply {
        guard let slot = command.slot else { return try await askAnybody(command, timeout) }
        var link = try link(for: slot)
        var isAsking = false
        for _ in 0...Self.maxRedirections {
            // Without an answer in between, both arrive together and in order.
            if isAsking { link.send(RedisCommand("ASKING"), timeout: timeout) { _ in } }
            isAsking = false
            let reply = try await link.ask(command, timeout: timeout)
            guard case .error(let text) = reply else { return reply }
            if text.hasPrefix("CLUSTERDOWN") { outdated() }
            switch Redirection(text, from: link.node) {
            case nil: return reply
            case .tryAgain: try await rest()
            case .moved(let slot, let node):
                map.move(slot, to: node)
                outdated()
                link = try await opened(node)
            case .ask(let node):
                link = try await opened(node)
                isAsking = true
            }
        }
        throw RedisError(.unavailable, "sent on \(Self.maxRedirections) times", serverCode: "MOVED")
    }

    /// Sends several commands at once, each to its node; an error stands in its place.
    func ask(_ commands: [RedisCommand], timeout: Duration) async throws(RedisError) -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        let answers = await withCheckedContinuation { (continuation: CheckedContinuation<[RedisLink.Answer], Never>) in
            let batch = Batch(commands.count, continuation)
            for (index, command) in commands.enumerated() {
                do throws(RedisError) {
                    try link(for: command.slot).send(command, timeout: timeout) { batch.take($0, index) }
                } catch {
                    batch.take(.failure(error), index)
                }
            }
        }
        var replies: [RedisReply] = []
        for (command, answer) in zip(commands, answers) {
            let reply = try answer.get()
            guard case .error(let text) = reply, Self.isRedirection(text) else {
                replies.append(reply)
                continue
            }
            replies.append(try await ask(command, timeout: timeout))
        }
        return replies
    }

    private static func isRedirection(_ text: String) -> Bool {
        ["MOVED", "ASK", "TRYAGAIN"].contains(text.prefix { $0 != " " })
    }

    /// Sends without awaiting anything; a node that is away gets nothing.
    func post(_ command: RedisCommand, timeout: Duration, completion: @escaping (RedisLink.Answer) -> Void = { _ in }) {
        do throws(RedisError) {
            try link(for: command.slot).send(command, timeout: timeout, completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    /// The same command to every node.
    func postAll(_ command: RedisCommand, timeout: Duration) {
        for link in open { link.send(command, timeout: timeout) { _ in } }
    }

    /// Ends the link that a command went over; it comes back.
    func drop(_ command: RedisCommand, _ error: RedisError) { try? link(for: command.slot).close(error) }

    /// A link to each primary, in the order of the map.
    func each() throws(RedisError) -> [RedisLink] {
        var all: [RedisLink] = []
        for node in map.primaries {
            guard let link = links[node] else { throw away(node) }
            all.append(link)
        }
        return all
    }

    /// PING asks them all: a cluster is there when every part of it is.
    private func askAnybody(_ command: RedisCommand, _ timeout: Duration) async throws(RedisError) -> RedisReply {
        guard command.name == "PING" else { return try await link(for: nil).ask(command, timeout: timeout) }
        var last = RedisReply.null
        for link in try each() {
            last = try await link.ask(command, timeout: timeout)
            if case .error = last { return last }
        }
        return last
    }

    private func link(for slot: Int?) throws(RedisError) -> RedisLink {
        guard !isClosed else { throw RedisError(.unavailable, "not connected") }
        guard let slot else {
            guard let any = links.values.first else { throw RedisError(.unavailable, "no node can be reached") }
            return any
        }
        guard let node = map.owner(of: slot) else {
            outdated()
            throw RedisError(.unavailable, "nobody has slot \(slot)")
        }
        guard let link = links[node] else { throw away(node) }
        return link
    }

    private func away(_ node: RedisNode) -> RedisError {
        RedisError(.unavailable, "\(node), of \(map.primaries.count) nodes of the cluster, can not be reached")
    }

    private func opened(_ node: RedisNode) async throws(RedisError) -> RedisLink {
        if let link = links[node] { return link }
        let link = try await RedisLink.open(to: node, loop: loop, configuration: configuration, takePush: takePush)
        return try adopt(link)
    }

    private func rest() async throws(RedisError) {
        do { try await loop.sleep(for: Self.tryAgainWait) } catch { throw RedisError(.closed, "cancelled") }
    }

    // MARK: Following the cluster

    private func adopt(_ link: RedisLink) throws(RedisError) -> RedisLink {
        guard !isClosed else {
            let error = RedisError(.closed, "connection closed")
            link.close(error)
            throw error
        }
        // Two commands may have been sent on to the same node at once.
        if let known = links[link.node] {
            link.close(RedisError(.closed, "one is enough"))
            return known
        }
        links[link.node] = link
        link.whenClosed { [weak self, weak link] in self?.lost(link, $0) }
        return link
    }

    private func lost(_ link: RedisLink?, _ error: RedisError) {
        guard !isClosed, let link, links[link.node] === link else { return }
        links[link.node] = nil
        if isWhole || links.isEmpty { return close(error) }
        outdated()
    }

    /// Looks again who has what, and connects to whom there is no link.
    private func outdated() {
        isOutdated = true
        healIfNeeded()
    }

    private func healIfNeeded() {
        guard healer == nil, !isClosed, isOutdated || !missing.isEmpty else { return }
        healer = Task(executorPreference: loop) { [weak self, loop, configuration] in
            var backoff = configuration.backoff
            while !Task.isCancelled, await self?.heal() == false {
                guard (try? await loop.sleep(for: backoff.next())) != nil else { return }
            }
        }
    }

    /// - Returns: whether there is nothing left to do.
    private func heal() async -> Bool {
        guard !isClosed else { return true }
        if let link = links.values.randomElement(),
            let reply = try? await link.ask(RedisCommand("CLUSTER", "SLOTS"), timeout: configuration.commandTimeout),
            let fresh = try? SlotMap(reply, asked: link.node), !isClosed
        {
            map = fresh
            isOutdated = false
        }
        _ = await connectMissing()
        guard !isClosed else { return true }
        for (node, link) in links where !map.primaries.contains(node) && link.inFlight == 0 {
            links[node] = nil
            link.close(RedisError(.closed, "not a primary any more"))
        }
        guard !isOutdated, missing.isEmpty else { return false }
        healer = nil
        return true
    }

    /// - Returns: why a node could not be reached; nil when all could.
    private func connectMissing() async -> RedisError? {
        let found = await withTaskGroup(of: Result<RedisLink, RedisError>.self) { group in
            for node in missing {
                group.addTask { [loop, configuration, takePush] in
                    do throws(RedisError) {
                        return .success(
                            try await RedisLink.open(
                                to: node, loop: loop, configuration: configuration, takePush: takePush))
                    } catch { return .failure(error) }
                }
            }
            var all: [Result<RedisLink, RedisError>] = []
            for await result in group { all.append(result) }
            return all
        }
        var failure: RedisError?
        for result in found {
            do throws(RedisError) { _ = try adopt(try result.get()) } catch { failure = error }
        }
        return failure
    }
}

/// The answers of a batch, in its order; filled on the loop.
private final class Batch {
    private var answers: [RedisLink.Answer?]
    private var missing: Int
    private let continuation: CheckedContinuation<[RedisLink.Answer], Never>

    init(_ count: Int, _ continuation: CheckedContinuation<[RedisLink.Answer], Never>) {
        answers = Array(repeating: nil, count: count)
        missing = count
        self.continuation = continuation
    }

    func take(_ answer: RedisLink.Answer, _ index: Int) {
        answers[index] = answer
        missing -= 1
        if missing == 0 { continuation.resume(returning: answers.compactMap { $0 }) }
    }
}

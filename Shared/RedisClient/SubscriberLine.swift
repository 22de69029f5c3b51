/// What a subscriber's channels are followed over. On the loop.
enum SubscriberLine: Sendable {
    case link(RedisLink)
    /// Each channel at the node that has its slot.
    case shards(ClusterLinks)

    var isOpen: Bool {
        switch self {
        case .link(let link): link.isOpen
        case .shards(let links): links.isOpen
        }
    }

    var nodes: [RedisNode] {
        switch self {
        case .link(let link): [link.node]
        case .shards(let links): links.primaries
        }
    }

    /// All that it consists of.
    var links: [RedisLink] {
        switch self {
        case .link(let link): [link]
        case .shards(let links): links.open
        }
    }

    var peer: String { nodes.map(\.description).joined(separator: ",") }

    /// Returns when every channel is confirmed.
    func subscribe(_ channels: [String], timeout: Duration) async throws(RedisError) {
        switch self {
        case .link(let link):
            let reply = try await link.ask(
                RedisCommand(words: ["SUBSCRIBE"] + channels), timeout: timeout, replies: channels.count)
            try Self.requireConfirmation(reply, "subscribe")
        case .shards(let links):
            // One command may name channels of one slot only.
            let commands = channels.map { RedisCommand("SSUBSCRIBE", $0) }
            for reply in try await links.ask(commands, timeout: timeout) {
                try Self.requireConfirmation(reply, "ssubscribe")
            }
        }
    }

    private static func requireConfirmation(_ reply: RedisReply, _ word: String) throws(RedisError) {
        if case .error(let text) = reply { throw RedisError(reply: text) }
        guard reply.array?.first?.text == word else { throw RedisError(.unexpectedReply, word.uppercased()) }
    }

    func unsubscribe(_ channel: String, timeout: Duration, completion: @escaping () -> Void) {
        switch self {
        case .link(let link):
            link.send(RedisCommand("UNSUBSCRIBE", channel), timeout: timeout) { _ in completion() }
        case .shards(let links):
            links.post(RedisCommand("SUNSUBSCRIBE", channel), timeout: timeout) { _ in completion() }
        }
    }

    func ping(timeout: Duration) {
        switch self {
        case .link(let link): link.send(RedisCommand("PING"), timeout: timeout) { _ in }
        case .shards(let links): links.postAll(RedisCommand("PING"), timeout: timeout)
        }
    }

    func whenClosed(_ callback: @escaping @Sendable (RedisError) -> Void) {
        switch self {
        case .link(let link): link.whenClosed(callback)
        case .shards(let links): links.whenClosed(callback)
        }
    }

    func close(_ error: RedisError) {
        switch self {
        case .link(let link): link.close(error)
        case .shards(let links): links.close(error)
        }
    }
}

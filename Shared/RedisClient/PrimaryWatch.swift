import Platform
import Sockets

/// Ends a link when the sentinels name another primary than the one it leads to.
///
/// Who has to be told: a primary that lost its office may live on, and say nothing to those who only listen.
struct PrimaryWatch {
    private static let channel = "+switch-master"
    private let subscriber: RedisSubscriber

    /// - Returns: nil where there are no sentinels.
    static func begin(over link: RedisLink, loop: EventLoop, configuration: RedisConfiguration, log: Log) async
        -> PrimaryWatch?
    {
        let endpoint = configuration.endpoint
        guard case .sentinel(let group) = endpoint.topology else { return nil }
        let (node, name) = (link.node, group.name)
        var sentinels = configuration
        sentinels.endpoint = endpoint.sentinels(group)
        let subscriber = RedisSubscriber(
            loop: loop, configuration: sentinels, log: log,
            onMessage: { _, payload in
                guard let new = moved(payload, name), new != node else { return }
                link.close(RedisError(.disconnected, "the primary is \(new) now"))
            },
            onStateChange: { state in
                // What was said while nobody listened is asked for.
                guard case .connected = state else { return }
                Task(executorPreference: loop) {
                    let new = try? await group.primary(like: endpoint, loop: loop, configuration: configuration)
                    guard let new, new != node else { return }
                    loop.execute { link.close(RedisError(.disconnected, "the primary is \(new) now")) }
                }
            })
        try? await subscriber.subscribe(channel)  // not connected yet: it stays wanted
        await subscriber.start()
        return PrimaryWatch(subscriber: subscriber)
    }

    func end() async { await subscriber.close() }

    /// Reads `<name> <old host> <old port> <new host> <new port>`; nil for another primary's.
    static func moved(_ payload: [UInt8], _ name: String) -> RedisNode? {
        let words = String(decoding: payload, as: UTF8.self).split(separator: " ")
        guard words.count == 5, words[0] == name, let port = UInt16(words[4]) else { return nil }
        return RedisNode(host: String(words[3]), port: port)
    }
}

import Platform
package import RedisClient

/// A primary, two replicas and three sentinels.
package final class SentinelRedis: Sendable {
    package static let sentinelPassword = "secret-of-the-sentinels"
    package static let name = "debates"
    package let servers: RedisServers
    package let data: [RedisNode]
    package let sentinels: [RedisNode]

    private init(servers: RedisServers, data: [RedisNode], sentinels: [RedisNode]) {
        (self.servers, self.data, self.sentinels) = (servers, data, sentinels)
    }

    /// Starts them and returns when the sentinels agree about the whole.
    package static func make(isTLS: Bool = false) async throws -> SentinelRedis {
        let servers = try await RedisServers(isTLS: isTLS)
        do {
            let plain = [
                "--requirepass", RedisServers.password, "--masterauth", RedisServers.password, "--save", "",
                "--appendonly", "no", "--repl-diskless-sync-delay", "0",
            ]
            let first = try servers.add { _ in plain }
            var data = [first]
            for _ in 1...2 {
                data.append(try servers.add { _ in plain + ["--replicaof", first.host, "\(first.port)"] })
            }
            let file = """
                requirepass \(sentinelPassword)
                sentinel sentinel-pass \(sentinelPassword)
                sentinel monitor \(name) \(first.host) \(first.port) 2
                sentinel auth-pass \(name) \(RedisServers.password)
                sentinel down-after-milliseconds \(name) 1500
                sentinel failover-timeout \(name) 5000
                """
            var sentinels: [RedisNode] = []
            for _ in 1...3 { sentinels.append(try servers.add({ _ in ["--sentinel"] }, file: file)) }
            let group = SentinelRedis(servers: servers, data: data, sentinels: sentinels)
            for sentinel in sentinels { try await group.settled(sentinel) }
            return group
        } catch {
            servers.stop()
            throw error
        }
    }

    private func settled(_ sentinel: RedisNode) async throws {
        try await servers.eventually("the sentinels agree") {
            let reply = try await servers.ask(
                sentinel, "SENTINEL", "MASTER", Self.name, password: Self.sentinelPassword)
            let fields = (reply.array ?? []).compactMap(\.text)
            func value(_ name: String) -> String? { fields.firstIndex(of: name).map { fields[$0 + 1] } }
            return value("num-slaves") == "2" && value("num-other-sentinels") == "2" && value("flags") == "master"
        }
    }

    /// Who is the primary, as one sentinel sees it.
    package func primary(of sentinel: Int = 0) async throws -> RedisNode? {
        let reply = try await servers.ask(
            sentinels[sentinel], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self.name, password: Self.sentinelPassword)
        guard let parts = reply.array, let port = parts.last?.text.flatMap(UInt16.init) else { return nil }
        return RedisNode(host: "127.0.0.1", port: port)
    }

    /// Nobody listens there: only the sentinels know.
    package var url: String { servers.url(RedisNode(host: "127.0.0.1", port: 1)) }

    package var topology: RedisTopology {
        .sentinel(SentinelGroup(nodes: sentinels, name: Self.name, password: Secret(Self.sentinelPassword)))
    }

    package var environment: [String: String] {
        [
            "ARAGORA_REDIS_MODE": "sentinel", "ARAGORA_REDIS_SENTINEL_MASTER": Self.name,
            "ARAGORA_REDIS_SENTINELS": sentinels.map(\.description).joined(separator: ","),
            "ARAGORA_REDIS_SENTINEL_PASSWORD": Self.sentinelPassword,
        ]
    }
}

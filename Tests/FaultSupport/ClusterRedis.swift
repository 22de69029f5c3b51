package import RedisClient

/// Three primaries of a cluster, each with a replica.
package final class ClusterRedis: Sendable {
    package let servers: RedisServers
    /// The primaries as they were at first; the replica of each has the same index.
    package let primaries: [RedisNode]
    package let replicas: [RedisNode]

    private init(servers: RedisServers, primaries: [RedisNode], replicas: [RedisNode]) {
        (self.servers, self.primaries, self.replicas) = (servers, primaries, replicas)
    }

    package static func make(isTLS: Bool = false) async throws -> ClusterRedis {
        let servers = try await RedisServers(isTLS: isTLS)
        do {
            var nodes: [(node: RedisNode, bus: UInt16)] = []
            for _ in 0..<6 {
                let bus = StackPorts.take()
                let node = try servers.add { _ in
                    [
                        "--cluster-enabled", "yes", "--tls-cluster", isTLS ? "yes" : "no", "--cluster-port", "\(bus)",
                        "--cluster-node-timeout", "1000",
                        "--requirepass", RedisServers.password, "--masterauth", RedisServers.password, "--save", "",
                        "--appendonly", "no", "--repl-diskless-sync-delay", "0",
                    ]
                }
                nodes.append((node, bus))
            }
            let cluster = ClusterRedis(
                servers: servers, primaries: nodes[..<3].map(\.node), replicas: nodes[3...].map(\.node))
            try await cluster.join(nodes)
            return cluster
        } catch {
            servers.stop()
            throw error
        }
    }

    private func join(_ nodes: [(node: RedisNode, bus: UInt16)]) async throws {
        let starts = [0, 5461, 10923, 16384]
        for (index, node) in primaries.enumerated() {
            try await servers.ask(
                node, "CLUSTER", "ADDSLOTSRANGE", "\(starts[index])", "\(starts[index + 1] - 1)")
        }
        for (index, (node, _)) in nodes.enumerated() {
            try await servers.ask(node, "CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)")
        }
        for (node, bus) in nodes.dropFirst() {
            try await servers.ask(primaries[0], "CLUSTER", "MEET", node.host, "\(node.port)", "\(bus)")
        }
        for (node, _) in nodes { try await wait(for: "cluster_known_nodes:6", at: node) }
        for (primary, replica) in zip(primaries, replicas) {
            let id = try await id(of: primary)
            try await servers.eventually("a replica is taken") {
                (try? await servers.ask(replica, "CLUSTER", "REPLICATE", id)) != nil
            }
        }
        for (node, _) in nodes { try await wait(for: "cluster_state:ok", at: node) }
        for replica in replicas {
            try await servers.eventually("a replica follows") {
                try await servers.ask(replica, "INFO", "replication").text?.contains("master_link_status:up")
                    == true
            }
        }
    }

    private func wait(for line: String, at node: RedisNode) async throws {
        try await servers.eventually(line) {
            try await servers.ask(node, "CLUSTER", "INFO").text?.contains(line) == true
        }
    }

    package func id(of node: RedisNode) async throws -> String {
        try await servers.ask(node, "CLUSTER", "MYID").text ?? ""
    }

    /// Which of the first primaries has a key's slot, as they were made.
    package func place(of key: String) async throws -> (slot: Int, index: Int) {
        let slot = Int(try await servers.ask(primaries[0], "CLUSTER", "KEYSLOT", key).integer ?? 0)
        return (slot, slot < 5461 ? 0 : slot < 10923 ? 1 : 2)
    }

    /// Begins to move a slot: keys that are not there any more are asked for at the new place.
    package func beginMove(_ slot: Int, from: Int, to: Int) async throws {
        let (source, target) = (try await id(of: primaries[from]), try await id(of: primaries[to]))
        try await servers.ask(primaries[to], "CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", source)
        try await servers.ask(primaries[from], "CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", target)
    }

    /// Moves the keys of a slot.
    package func moveKeys(_ slot: Int, from: Int, to: Int) async throws {
        while case let keys =
            (try await servers.ask(
                primaries[from], "CLUSTER", "GETKEYSINSLOT", "\(slot)", "100"
            ).array ?? []).compactMap(\.text), !keys.isEmpty
        {
            for key in keys {
                try await servers.ask(
                    primaries[from], "MIGRATE", "127.0.0.1", "\(primaries[to].port)", key, "0", "5000", "AUTH",
                    RedisServers.password)
            }
        }
    }

    /// Ends the move, at every primary.
    package func endMove(_ slot: Int, to: Int) async throws {
        let target = try await id(of: primaries[to])
        for node in [primaries[to]] + primaries.filter({ $0 != primaries[to] }) {
            try await servers.ask(node, "CLUSTER", "SETSLOT", "\(slot)", "NODE", target)
        }
    }

    package var url: String { servers.url(primaries[0]) }
    package var topology: RedisTopology { .cluster(more: [primaries[1]]) }
    package var environment: [String: String] {
        ["ARAGORA_REDIS_MODE": "cluster", "ARAGORA_REDIS_CLUSTER_NODES": primaries[1].description]
    }
}

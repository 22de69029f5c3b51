import Glibc
import Platform
package import RedisClient
import Sockets
import TestSupport

/// Several Redis servers of one test's own, which know each other by a password and keep nothing on a disk.
package final class RedisServers: Sendable {
    package static let password = "secret-of-the-servers"

    /// One server and where it listens.
    package struct Server: Sendable {
        package let node: RedisNode
        let folder: String
        let arguments: [String]
    }

    private struct State {
        var servers: [RedisNode: Server] = [:]
        var processes: [RedisNode: ServiceProcess] = [:]
    }

    private let folder: String
    private let state = Lock(State())

    package init() throws { folder = try StackFolder.make("redises-\(UInt64.random(in: .min ... .max))") }

    /// Starts a server on a port of its own.
    /// - Parameter file: written to be its configuration, before the arguments; servers change theirs.
    package func add(_ arguments: (UInt16) -> [String], file: String? = nil) throws -> RedisNode {
        let port = StackPorts.take()
        let own = try StackFolder.make("redis-\(port)-\(UInt64.random(in: .min ... .max))")
        var words = ["--port", "\(port)", "--bind", "127.0.0.1", "--dir", own]
        if let file {
            try StackFolder.write("\(file)\n", to: "\(own)/server.conf")
            words = ["\(own)/server.conf"] + words
        }
        let node = RedisNode(host: "127.0.0.1", port: port)
        let server = Server(node: node, folder: own, arguments: words + arguments(port))
        state.withLock { $0.servers[node] = server }
        try start(node)
        return node
    }

    /// Starts a server (again), on its port and with what it knows of the others.
    package func start(_ node: RedisNode) throws {
        guard let server = state.withLock({ $0.servers[node] }) else { return }
        let process = try ServiceProcess(
            name: "redis-\(node.port)", binary: "/usr/bin/redis-server", arguments: server.arguments, environment: [:],
            logPath: "\(folder)/\(node.port).log")
        state.withLock { $0.processes[node] = process }
    }

    package func send(_ signal: Int32, to node: RedisNode) { state.withLock { $0.processes[node] }?.send(signal) }

    package func kill(_ node: RedisNode) async throws {
        let process = state.withLock { $0.processes[node] }
        process?.send(SIGKILL)
        try await process?.waitForEnd()
    }

    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let loop = try EventLoop(name: "eventually")
        defer { loop.stop() }
        for _ in 0..<400 {
            if try await condition() { return }
            try await loop.sleep(for: .milliseconds(50))
        }
        throw StackFolder.Failed(description: "not within 20 s: \(what)\n\(logs)")
    }

    package var logs: String {
        state.withLock { Array($0.servers.keys) }.map { node in
            "--- \(node)\n\(StackFolder.tail(of: StackFolder.read("\(folder)/\(node.port).log")))"
        }.joined(separator: "\n")
    }

    /// The last thing.
    package func stop() {
        let servers = state.withLock { state in
            for process in state.processes.values { process.send(SIGKILL) }
            state.processes = [:]
            return Array(state.servers.values)
        }
        for server in servers { StackFolder.remove(server.folder) }
        StackFolder.remove(folder)
    }

    /// Asks one server, over a connection for this alone; waits until it answers.
    @discardableResult
    package static func ask(_ node: RedisNode, _ words: String..., password: String = RedisServers.password)
        async throws -> RedisReply
    {
        let loop = try EventLoop(name: "ask")
        defer { loop.stop() }
        var configuration = RedisConfiguration(host: node.host, port: node.port)
        configuration.endpoint.password = Secret(password)
        let connection = RedisConnection(loop: loop, configuration: configuration)
        do {
            try await connection.connect(timeout: .seconds(20))
            let reply = try await connection.send(RedisCommand(words: words))
            await connection.close()
            return reply
        } catch {
            await connection.close()
            throw error
        }
    }
}

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
    package static func make() async throws -> SentinelRedis {
        let servers = try RedisServers()
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
                sentinel down-after-milliseconds \(name) 500
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
            let reply = try await RedisServers.ask(
                sentinel, "SENTINEL", "MASTER", Self.name, password: Self.sentinelPassword)
            let fields = (reply.array ?? []).compactMap(\.text)
            func value(_ name: String) -> String? { fields.firstIndex(of: name).map { fields[$0 + 1] } }
            return value("num-slaves") == "2" && value("num-other-sentinels") == "2" && value("flags") == "master"
        }
    }

    /// Who is the primary, as one sentinel sees it.
    package func primary(of sentinel: Int = 0) async throws -> RedisNode? {
        let reply = try await RedisServers.ask(
            sentinels[sentinel], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self.name, password: Self.sentinelPassword)
        guard let parts = reply.array, let port = parts.last?.text.flatMap(UInt16.init) else { return nil }
        return RedisNode(host: "127.0.0.1", port: port)
    }

    /// Nobody listens there: only the sentinels know.
    package var url: String { "redis://:\(RedisServers.password)@127.0.0.1:1/0" }

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

/// Three primaries of a cluster, each with a replica.
package final class ClusterRedis: Sendable {
    package let servers: RedisServers
    /// The primaries as they were at first; the replica of each has the same index.
    package let primaries: [RedisNode]
    package let replicas: [RedisNode]

    private init(servers: RedisServers, primaries: [RedisNode], replicas: [RedisNode]) {
        (self.servers, self.primaries, self.replicas) = (servers, primaries, replicas)
    }

    package static func make() async throws -> ClusterRedis {
        let servers = try RedisServers()
        do {
            var nodes: [(node: RedisNode, bus: UInt16)] = []
            for _ in 0..<6 {
                let bus = StackPorts.take()
                let node = try servers.add { _ in
                    [
                        "--cluster-enabled", "yes", "--cluster-port", "\(bus)", "--cluster-node-timeout", "1000",
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
            try await RedisServers.ask(
                node, "CLUSTER", "ADDSLOTSRANGE", "\(starts[index])", "\(starts[index + 1] - 1)")
        }
        for (index, (node, _)) in nodes.enumerated() {
            try await RedisServers.ask(node, "CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)")
        }
        for (node, bus) in nodes.dropFirst() {
            try await RedisServers.ask(primaries[0], "CLUSTER", "MEET", node.host, "\(node.port)", "\(bus)")
        }
        for (node, _) in nodes { try await wait(for: "cluster_known_nodes:6", at: node) }
        for (primary, replica) in zip(primaries, replicas) {
            let id = try await id(of: primary)
            try await servers.eventually("a replica is taken") {
                (try? await RedisServers.ask(replica, "CLUSTER", "REPLICATE", id)) != nil
            }
        }
        for (node, _) in nodes { try await wait(for: "cluster_state:ok", at: node) }
        for replica in replicas {
            try await servers.eventually("a replica follows") {
                try await RedisServers.ask(replica, "INFO", "replication").text?.contains("master_link_status:up")
                    == true
            }
        }
    }

    private func wait(for line: String, at node: RedisNode) async throws {
        try await servers.eventually(line) {
            try await RedisServers.ask(node, "CLUSTER", "INFO").text?.contains(line) == true
        }
    }

    package func id(of node: RedisNode) async throws -> String {
        try await RedisServers.ask(node, "CLUSTER", "MYID").text ?? ""
    }

    /// Which of the first primaries has a key's slot, as they were made.
    package func place(of key: String) async throws -> (slot: Int, index: Int) {
        let slot = Int(try await RedisServers.ask(primaries[0], "CLUSTER", "KEYSLOT", key).integer ?? 0)
        return (slot, slot < 5461 ? 0 : slot < 10923 ? 1 : 2)
    }

    /// Begins to move a slot: keys that are not there any more are asked for at the new place.
    package func beginMove(_ slot: Int, from: Int, to: Int) async throws {
        let (source, target) = (try await id(of: primaries[from]), try await id(of: primaries[to]))
        try await RedisServers.ask(primaries[to], "CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", source)
        try await RedisServers.ask(primaries[from], "CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", target)
    }

    /// Moves the keys of a slot.
    package func moveKeys(_ slot: Int, from: Int, to: Int) async throws {
        while case let keys =
            (try await RedisServers.ask(
                primaries[from], "CLUSTER", "GETKEYSINSLOT", "\(slot)", "100"
            ).array ?? []).compactMap(\.text), !keys.isEmpty
        {
            for key in keys {
                try await RedisServers.ask(
                    primaries[from], "MIGRATE", "127.0.0.1", "\(primaries[to].port)", key, "0", "5000", "AUTH",
                    RedisServers.password)
            }
        }
    }

    /// Ends the move, at every primary.
    package func endMove(_ slot: Int, to: Int) async throws {
        let target = try await id(of: primaries[to])
        for node in [primaries[to]] + primaries.filter({ $0 != primaries[to] }) {
            try await RedisServers.ask(node, "CLUSTER", "SETSLOT", "\(slot)", "NODE", target)
        }
    }

    package var url: String { "redis://:\(RedisServers.password)@\(primaries[0])/0" }
    package var topology: RedisTopology { .cluster(more: [primaries[1]]) }
    package var environment: [String: String] {
        ["ARAGORA_REDIS_MODE": "cluster", "ARAGORA_REDIS_CLUSTER_NODES": primaries[1].description]
    }
}

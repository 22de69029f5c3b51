import Glibc
import Platform
package import RedisClient
import Sockets
import TestSupport

/// Several Redis servers of one test's own, which know each other by a password and keep nothing on a disk. With an
/// authority they speak TLS and nothing else, to each other too.
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
    private let authority: TestAuthority?
    private let state = Lock(State())

    /// - Parameter isTLS: whether they speak TLS, by certificates of an authority made for them.
    package init(isTLS: Bool = false) async throws {
        authority = isTLS ? try await TestAuthority.make() : nil
        folder = try StackFolder.make("redises-\(UInt64.random(in: .min ... .max))")
    }

    /// How one of them is reached, by whoever knows the password.
    package func url(_ node: RedisNode) -> String {
        let rest = "://:\(Self.password)@\(node)/0"
        return authority.map { "rediss\(rest)?ca=\($0.certificate)" } ?? "redis\(rest)"
    }

    private func listening(_ port: UInt16) -> [String] {
        guard let authority else { return ["--port", "\(port)"] }
        return ["--port", "0", "--tls-port", "\(port)", "--tls-replication", "yes"] + authority.redisArguments
    }

    /// Starts a server on a port of its own.
    /// - Parameter file: written to be its configuration, before the arguments; servers change theirs.
    package func add(_ arguments: (UInt16) -> [String], file: String? = nil) throws -> RedisNode {
        let port = StackPorts.take()
        let own = try StackFolder.make("redis-\(port)-\(UInt64.random(in: .min ... .max))")
        var words = listening(port) + ["--bind", "127.0.0.1", "--dir", own]
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
        authority?.remove()
    }

    /// Asks one server, over a connection for this alone; waits until it answers.
    @discardableResult
    package func ask(_ node: RedisNode, _ words: String..., password: String = RedisServers.password)
        async throws -> RedisReply
    {
        let loop = try EventLoop(name: "ask")
        defer { loop.stop() }
        var configuration = try RedisConfiguration(url: url(node))
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

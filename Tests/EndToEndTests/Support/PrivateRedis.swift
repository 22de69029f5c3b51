import Glibc
import Platform
import TestSupport

/// A Redis of one test's own, to be killed. It keeps nothing: what comes back is empty.
final class PrivateRedis: Sendable {
    private let port = StackPorts.take()
    private let folder: String
    private let process = Lock<ServiceProcess?>(nil)

    var url: String { "redis://127.0.0.1:\(port)/0" }

    init() throws {
        folder = try StackFolder.make("redis-\(UInt64.random(in: .min ... .max))")
        try start()
    }

    /// Starts it, on the same port as before.
    func start() throws {
        let server = try ServiceProcess(
            name: "redis", binary: "/usr/bin/redis-server",
            arguments: [
                "--bind", "127.0.0.1", "--port", "\(port)", "--save", "", "--appendonly", "no", "--dir", folder,
                "--maxmemory", "64mb", "--maxmemory-policy", "volatile-lru",
            ], environment: [:], logPath: "\(folder)/redis.log")
        process.withLock { $0 = server }
    }

    func ready(_ stack: Stack) async throws {
        try await stack.eventually("the private Redis answers") {
            try await stack.withRedis { _ in }
            return true
        }
    }

    func send(_ signal: Int32) { process.withLock { $0 }?.send(signal) }

    func kill() async throws {
        let server = process.withLock { $0 }
        server?.send(SIGKILL)
        try await server?.waitForEnd()
    }

    /// The last thing; the process is reaped when its object goes.
    func stop() {
        process.withLock {
            $0?.send(SIGKILL)
            $0 = nil
        }
        StackFolder.remove(folder)
    }
}

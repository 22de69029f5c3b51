import Foundation
import Glibc
import RedisClient
import Sockets
import TestSupport

/// A redis-server of its own that speaks TLS, with authorities made for it. Ends with ``stop()``.
final class TLSRedis {
    let port: UInt16
    private let authority: TestAuthority
    private let folder: URL
    private let server: ServiceProcess

    var rightCA: String { authority.certificate }
    var wrongCA: String { authority.otherCertificate }

    /// - Parameter protocols: as redis-server's `tls-protocols`.
    init(protocols: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "redis-tls-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        authority = try await TestAuthority.make()
        let port = try await Self.freePort()
        server = try ServiceProcess(
            name: "redis", binary: "/usr/bin/env",
            arguments: [
                "redis-server", "--port", "0", "--tls-port", String(port), "--bind", "127.0.0.1", "127.0.0.2", "--save",
                "", "--dir", folder.path, "--tls-protocols", protocols,
            ] + authority.redisArguments,
            environment: [:], logPath: folder.appending(path: "log").path)
        self.folder = folder
        self.port = port
    }

    func stop() {
        server.send(SIGKILL)
        try? FileManager.default.removeItem(at: folder)
        authority.remove()
    }

    func configuration(host: String, ca: String) throws -> RedisConfiguration {
        try RedisConfiguration(url: "rediss://\(host):\(port)?ca=\(ca)")
    }

    private static func freePort() async throws -> UInt16 {
        let loop = try EventLoop(name: "port")
        defer { loop.stop() }
        guard let any = SocketAddress(ip: "127.0.0.1", port: 0) else { throw RedisError(.configuration, "127.0.0.1") }
        let listener = try Listener(loop: loop, address: any, reusePort: false) { _ in }
        await Task(executorPreference: loop) { listener.close() }.value
        return listener.address.port
    }
}

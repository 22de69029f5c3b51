import Foundation
import Glibc
import RedisClient
import Sockets
import TestSupport

/// A redis-server of its own that speaks TLS, with authorities made for it. Ends with ``stop()``.
final class TLSRedis {
    let folder: URL
    let port: UInt16
    private let server = Process()

    var rightCA: String { folder.appending(path: "ca.pem").path }
    var wrongCA: String { folder.appending(path: "other.pem").path }

    /// - Parameter protocols: as redis-server's `tls-protocols`.
    init(protocols: String) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "redis-tls-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = try await Self.freePort()
        for name in ["ca", "other"] { try await openssl(name, "-subj", "/CN=\(name)") }
        try await openssl(
            "server", "-subj", "/CN=server", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key")
        server.executableURL = URL(filePath: "/usr/bin/env")
        server.arguments = [
            "redis-server", "--port", "0", "--tls-port", String(port), "--bind", "127.0.0.1", "127.0.0.2", "--save", "",
            "--tls-cert-file", "server.pem", "--tls-key-file", "server.key", "--tls-ca-cert-file", "ca.pem",
            "--tls-auth-clients", "no", "--tls-protocols", protocols,
        ]
        server.currentDirectoryURL = folder
        server.standardOutput = FileHandle.nullDevice
        try server.run()
    }

    /// SIGKILL, because a child started from a Dispatch thread inherits its mask, which blocks SIGTERM.
    func stop() {
        kill(server.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(at: folder)
    }

    func configuration(host: String, ca: String) throws -> RedisConfiguration {
        try RedisConfiguration(url: "rediss://\(host):\(port)?ca=\(ca)")
    }

    private func openssl(_ name: String, _ arguments: String...) async throws {
        let tool = Process()
        tool.executableURL = URL(filePath: "/usr/bin/env")
        tool.arguments =
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
             "-keyout", "\(name).key", "-out", "\(name).pem"] + arguments
        tool.currentDirectoryURL = folder
        tool.standardError = FileHandle.nullDevice
        let ended = Reports<Void>()
        tool.terminationHandler = { _ in ended.report(()) }
        try tool.run()
        await ended.next()
        guard tool.terminationStatus == 0 else { throw RedisError(.configuration, "openssl req \(name) failed") }
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

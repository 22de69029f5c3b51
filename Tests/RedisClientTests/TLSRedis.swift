import Foundation
import Glibc
import RedisClient
import Sockets
import TestSupport

/// A redis-server of its own that speaks TLS, with authorities made for it. Ends with ``stop()``.
final class TLSRedis {
    let folder: URL
    let port: UInt16
    private let server: ServiceProcess

    var rightCA: String { folder.appending(path: "ca.pem").path }
    var wrongCA: String { folder.appending(path: "other.pem").path }

    /// - Parameter protocols: as redis-server's `tls-protocols`.
    init(protocols: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "redis-tls-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func path(_ name: String) -> String { folder.appending(path: name).path }
        for name in ["ca", "other"] { try await Self.openssl(folder, name, ["-subj", "/CN=\(name)"]) }
        try await Self.openssl(
            folder, "server",
            [
                "-subj", "/CN=server", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-addext", "basicConstraints=critical,CA:FALSE", "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            ])
        let port = try await Self.freePort()
        server = try ServiceProcess(
            name: "redis", binary: "/usr/bin/env",
            arguments: [
                "redis-server", "--port", "0", "--tls-port", String(port), "--bind", "127.0.0.1", "127.0.0.2", "--save",
                "",
                "--dir", folder.path, "--tls-cert-file", path("server.pem"), "--tls-key-file", path("server.key"),
                "--tls-ca-cert-file", path("ca.pem"), "--tls-auth-clients", "no", "--tls-protocols", protocols,
            ],
            environment: [:], logPath: path("log"))
        self.folder = folder
        self.port = port
    }

    func stop() {
        server.send(SIGKILL)
        try? FileManager.default.removeItem(at: folder)
    }

    func configuration(host: String, ca: String) throws -> RedisConfiguration {
        try RedisConfiguration(url: "rediss://\(host):\(port)?ca=\(ca)")
    }

    private static func openssl(_ folder: URL, _ name: String, _ arguments: [String]) async throws {
        func path(_ name: String) -> String { folder.appending(path: name).path }
        let tool = try ServiceProcess(
            name: "openssl", binary: "/usr/bin/env",
            arguments: [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "1",
                "-keyout", path("\(name).key"), "-out", path("\(name).pem"),
            ] + arguments,
            environment: [:], logPath: path("openssl.log"))
        guard try await tool.waitForEnd() == .exited(0) else {
            throw RedisError(.configuration, "openssl req \(name) failed")
        }
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

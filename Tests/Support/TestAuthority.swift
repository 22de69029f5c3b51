import Foundation

/// A certificate authority of one test's own, and a certificate it has signed for 127.0.0.1 and localhost. Made by
/// openssl, valid for a day.
package final class TestAuthority: Sendable {
    package struct Failed: Error { package let what: String }

    private let folder: URL

    private init(folder: URL) { self.folder = folder }

    /// - Throws: ``Failed`` when openssl refuses; errors of the file system.
    package static func make() async throws -> TestAuthority {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "authority-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let authority = TestAuthority(folder: folder)
        for name in ["ca", "other"] { try await authority.request(name, ["-subj", "/CN=\(name)"]) }
        try await authority.request(
            "server",
            [
                "-subj", "/CN=server", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-addext", "basicConstraints=critical,CA:FALSE", "-CA", authority.certificate,
                "-CAkey", authority.path("ca.key"),
            ])
        // Stores drop their privileges and read it then.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        return authority
    }

    /// The authority's certificate, as clients are told it.
    package var certificate: String { path("ca.pem") }
    /// That of an authority which has signed nothing.
    package var otherCertificate: String { path("other.pem") }

    /// Arguments of redis-server and redis-sentinel: this certificate, none asked of clients.
    package var redisArguments: [String] {
        [
            "--tls-cert-file", path("server.pem"), "--tls-key-file", path("server.key"),
            "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no",
        ]
    }

    /// The last thing.
    package func remove() { try? FileManager.default.removeItem(at: folder) }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func request(_ name: String, _ arguments: [String]) async throws {
        let tool = try ServiceProcess(
            name: "openssl", binary: "/usr/bin/env",
            arguments: [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "1", "-keyout", path("\(name).key"), "-out", path("\(name).pem"),
            ] + arguments,
            environment: [:], logPath: path("openssl.log"))
        guard try await tool.waitForEnd() == .exited(0) else { throw Failed(what: "openssl req \(name)") }
    }
}

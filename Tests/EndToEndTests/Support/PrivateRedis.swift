import Glibc
import Platform
import TestSupport

/// A Redis of one test's own, to be killed. It keeps nothing: what comes back is empty.
final class PrivateRedis: Sendable {
    private let port = StackPorts.take()
    private let folder: String
    private let process = Lock<ServiceProcess?>(nil)

    /// What it is like besides.
    enum Kind: Sendable {
        case plain
        /// Its only user may do what this ACL says; some commands have no name at all.
        case restricted(acl: [String], unnamed: [String])
        /// It speaks TLS only, by a certificate of an authority of its own.
        case tls
    }

    private let kind: Kind
    private var authority: String { "\(folder)/ca.pem" }

    var url: String {
        switch kind {
        case .plain: "redis://127.0.0.1:\(port)/0"
        case .restricted: "redis://app:secret@127.0.0.1:\(port)/0"
        case .tls: "rediss://localhost:\(port)/0?ca=\(authority)"
        }
    }

    init() throws {
        (folder, kind) = (try StackFolder.make("redis-\(UInt64.random(in: .min ... .max))"), .plain)
        try start()
    }

    init(_ kind: Kind) async throws {
        (folder, self.kind) = (try StackFolder.make("redis-\(UInt64.random(in: .min ... .max))"), kind)
        if case .tls = kind { try await makeCertificates() }
        try start()
    }

    private func makeCertificates() async throws {
        let common = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
        ]
        let server = [
            "-subj", "/CN=server", "-addext", "subjectAltName=DNS:localhost", "-addext",
            "basicConstraints=critical,CA:FALSE", "-CA", authority, "-CAkey", "\(folder)/ca.key",
        ]
        for (name, words) in [("ca", ["-subj", "/CN=ca"]), ("server", server)] {
            let tool = try ServiceProcess(
                name: "openssl", binary: "/usr/bin/openssl",
                arguments: common + ["-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem"] + words,
                environment: [:], logPath: "\(folder)/openssl.log")
            let end = try await tool.waitForEnd()
            guard end == .exited(0) else { throw StackFolder.Failed(description: "openssl ended with \(end)") }
        }
    }

    private var special: [String] {
        switch kind {
        case .plain: ["--port", "\(port)"]
        case .restricted(let acl, let unnamed):
            ["--port", "\(port)", "--user", "default", "off", "--user", "app", "on", ">secret", "~*", "&*"] + acl
                + unnamed.flatMap { ["--rename-command", $0, ""] }
        case .tls:
            [
                "--port", "0", "--tls-port", "\(port)", "--tls-cert-file", "\(folder)/server.pem", "--tls-key-file",
                "\(folder)/server.key", "--tls-ca-cert-file", authority, "--tls-auth-clients", "no",
            ]
        }
    }

    /// Starts it, on the same port as before.
    func start() throws {
        let server = try ServiceProcess(
            name: "redis", binary: "/usr/bin/redis-server",
            arguments: [
                "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder, "--maxmemory", "64mb",
                "--maxmemory-policy", "volatile-lru",
            ] + special, environment: [:], logPath: "\(folder)/redis.log")
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

import Glibc
import Platform
import TestSupport

/// A Redis of one test's own, to be killed. Unless it is durable it keeps nothing: what comes back is empty.
package final class PrivateRedis: Sendable {
    private let port = StackPorts.take()
    private let folder: String
    private let process = Lock<ServiceProcess?>(nil)

    /// What it is like besides.
    package enum Kind: Sendable {
        case plain
        /// Its only user may do what this ACL says; some commands have no name at all.
        case restricted(acl: [String], unnamed: [String])
        /// It speaks TLS only, by a certificate of an authority of its own.
        case tls
        /// It keeps an append-only file, as deployed; as root it may have a disk of its own that can be filled.
        case durable(diskMegabytes: Int?)
    }

    private let kind: Kind
    private let small = Lock<SmallDisk?>(nil)

    /// The disk that can be filled; nil where it is the machine's.
    package var disk: SmallDisk? { small.withLock { $0 } }
    package var serverPort: UInt16 { port }
    private var authority: String { "\(folder)/ca.pem" }

    package var url: String {
        switch kind {
        case .plain, .durable: "redis://127.0.0.1:\(port)/0"
        case .restricted: "redis://app:secret@127.0.0.1:\(port)/0"
        case .tls: "rediss://localhost:\(port)/0?ca=\(authority)"
        }
    }

    package init() throws {
        (folder, kind) = (try StackFolder.make("redis-\(UInt64.random(in: .min ... .max))"), .plain)
        try start()
    }

    package init(_ kind: Kind) async throws {
        (folder, self.kind) = (try StackFolder.make("redis-\(UInt64.random(in: .min ... .max))"), kind)
        if case .tls = kind { try await makeCertificates() }
        if case .durable(let megabytes?) = kind {
            let disk = try await SmallDisk(at: folder, megabytes: megabytes)
            small.withLock { $0 = disk }
        }
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
        case .plain: ["--port", "\(port)", "--appendonly", "no"]
        case .durable: ["--port", "\(port)", "--appendonly", "yes", "--appendfsync", "everysec"]
        case .restricted(let acl, let unnamed):
            [
                "--port", "\(port)", "--appendonly", "no", "--user", "default", "off", "--user", "app", "on", ">secret",
                "~*", "&*",
            ] + acl
                + unnamed.flatMap { ["--rename-command", $0, ""] }
        case .tls:
            [
                "--port", "0", "--appendonly", "no", "--tls-port", "\(port)", "--tls-cert-file", "\(folder)/server.pem",
                "--tls-key-file",
                "\(folder)/server.key", "--tls-ca-cert-file", authority, "--tls-auth-clients", "no",
            ]
        }
    }

    /// Starts it, on the same port as before.
    package func start() throws {
        let server = try ServiceProcess(
            name: "redis", binary: "/usr/bin/redis-server",
            arguments: [
                "--bind", "127.0.0.1", "--save", "", "--dir", folder, "--maxmemory", "64mb",
                "--maxmemory-policy", "volatile-lru",
            ] + special, environment: [:], logPath: logPath)
        process.withLock { $0 = server }
    }

    // Beside the folder: it must be written when the disk is full.
    private var logPath: String { "\(folder).log" }

    /// The last lines of what it said.
    package var logTail: String { StackFolder.tail(of: StackFolder.read(logPath)) }

    /// Forgets what it has stored; it must not be running.
    package func forget() async throws {
        let process = try ServiceProcess(
            name: "rm", binary: "/bin/rm", arguments: ["-rf", "\(folder)/appendonlydir"], environment: [:],
            logPath: "/dev/null")
        try await process.waitForEnd()
    }

    package var isRunning: Bool { process.withLock { $0 }?.isAlive ?? false }

    package func ready(_ stack: Stack) async throws {
        try await stack.eventually("the private Redis answers") {
            try await stack.withRedis { _ in }
            return true
        }
    }

    package func send(_ signal: Int32) { process.withLock { $0 }?.send(signal) }

    package func kill() async throws {
        let server = process.withLock { $0 }
        server?.send(SIGKILL)
        try await server?.waitForEnd()
    }

    /// The last thing; the process is reaped when its object goes.
    package func stop() {
        process.withLock {
            $0?.send(SIGKILL)
            $0 = nil
        }
        StackFolder.remove(folder)
        unlink(logPath)
    }

    /// The last thing for one that has stored something.
    package func remove() async {
        try? await kill()
        try? await forget()
        await disk?.remove()
        stop()
    }
}

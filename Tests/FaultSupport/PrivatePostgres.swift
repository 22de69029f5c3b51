package import Glibc
import Platform
import TestSupport

/// A Postgres of one test's own, to be crashed. Its server refuses to be root, so that root lends it the user `postgres`.
package final class PrivatePostgres: Sendable {
    package enum Stop: String, Sendable, CaseIterable {
        /// Sessions are ended, a checkpoint is written.
        case fast
        /// A crash: the log is replayed at the next start.
        case immediate
    }

    struct Failed: Error, CustomStringConvertible { let description: String }

    package let port = StackPorts.take()
    private let folder: String
    private let password: String?
    private let small = Lock<SmallDisk?>(nil)
    private var data: String { "\(folder)/data" }

    package var url: String {
        let secret = password.map { ":" + $0 } ?? ""
        return "postgresql://postgres\(secret)@127.0.0.1:\(port)/postgres"
    }

    /// The disk that can be filled; nil where it is the machine's.
    package var disk: SmallDisk? { small.withLock { $0 } }

    private init(folder: String, password: String?) {
        self.folder = folder
        self.password = password
    }

    /// - Parameters:
    ///   - password: of the user `postgres`; without one everybody of this machine is let in.
    ///   - diskMegabytes: gives it a disk of its own of this size, as root.
    package static func make(password: String? = nil, diskMegabytes: Int? = nil) async throws -> PrivatePostgres {
        let server = PrivatePostgres(
            folder: try StackFolder.make("postgres-\(UInt64.random(in: .min ... .max))"), password: password)
        do {
            if let diskMegabytes {
                let disk = try await SmallDisk(at: server.folder, megabytes: diskMegabytes)
                server.small.withLock { $0 = disk }
            }
            var authentication = ["--auth=trust"]
            if let password {
                try StackFolder.write(password, to: "\(server.folder)/password")
                authentication = ["--auth=scram-sha-256", "--pwfile=\(server.folder)/password"]
            }
            if getuid() == 0 {
                try await server.command("/bin/chown", ["-R", "postgres:", server.folder], asServer: false)
            }
            try await server.command(
                try binary("initdb"),
                [
                    "--pgdata=\(server.data)", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                    "--no-sync",
                ] + authentication)
            try await server.start()
        } catch {
            await server.remove()
            throw error
        }
        return server
    }

    /// A copy that follows a running server, under a name that server knows it by.
    static func copy(of primary: PrivatePostgres, as name: String) async throws -> PrivatePostgres {
        let server = PrivatePostgres(
            folder: try StackFolder.make("postgres-\(UInt64.random(in: .min ... .max))"), password: nil)
        do {
            if getuid() == 0 {
                try await server.command("/bin/chown", ["-R", "postgres:", server.folder], asServer: false)
            }
            try await server.command(
                try binary("pg_basebackup"),
                [
                    "--dbname=host=127.0.0.1 port=\(primary.port) user=postgres application_name=\(name)",
                    "--pgdata=\(server.data)", "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast",
                    "--no-sync",
                ])
            try await server.start()
        } catch {
            await server.remove()
            throw error
        }
        return server
    }

    package func start() async throws {
        var settings =
            "-c listen_addresses=127.0.0.1 -c port=\(port) -c unix_socket_directories=\(folder) -c max_connections=100"
        if disk != nil { settings += " -c max_wal_size=128MB -c min_wal_size=32MB" }
        // The log stands beside the folder: it must be written when the disk is full.
        try await command(
            try Self.binary("pg_ctl"),
            ["--pgdata=\(data)", "--wait", "--log=\(folder).server.log", "--options=\(settings)", "start"],
            readies: "\(folder).server.log")
    }

    package func stop(_ how: Stop) async throws {
        try await command(try Self.binary("pg_ctl"), ["--pgdata=\(data)", "--wait", "--mode=\(how.rawValue)", "stop"])
    }

    /// Starts it unless it runs: it may have given up by itself.
    package func ensureRunning() async throws {
        if processes.isEmpty { try await start() }
    }

    /// The postmaster, then its children; empty when it does not run.
    package var processes: [pid_t] {
        let text = StackFolder.read("\(data)/postmaster.pid")
        guard let first = text.split(separator: "\n").first, let pid = pid_t(first), kill(pid, 0) == 0 else {
            return []
        }
        let children = StackFolder.read("/proc/\(pid)/task/\(pid)/children")
        return [pid] + children.split(separator: " ").compactMap { pid_t($0) }
    }

    /// The last lines of what it said.
    package var logTail: String { StackFolder.tail(of: StackFolder.read("\(folder).server.log")) }

    package func remove() async {
        for pid in processes { kill(pid, SIGCONT) }
        try? await stop(.immediate)
        await disk?.remove()
        try? await command("/bin/rm", ["-rf", folder], asServer: false)
        unlink("\(folder).commands.log")
        unlink("\(folder).server.log")
    }

    private func command(
        _ binary: String, _ arguments: [String], asServer: Bool = true, readies log: String? = nil
    ) async throws {
        let lends = asServer && getuid() == 0
        if let log, lends, let user = getpwnam("postgres") {
            close(open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
            chown(log, user.pointee.pw_uid, user.pointee.pw_gid)
        }
        let process = try ServiceProcess(
            name: "postgres", binary: lends ? "/sbin/runuser" : binary,
            arguments: lends ? ["-u", "postgres", "--", binary] + arguments : arguments, environment: [:],
            logPath: "\(folder).commands.log")
        let end = try await process.waitForEnd()
        guard end == .exited(0) else {
            throw Failed(
                description: "\(binary): \(end)\n\(StackFolder.tail(of: StackFolder.read("\(folder).commands.log")))")
        }
    }

    /// Debian keeps every version in a folder of its own, off the PATH; the newest is used.
    private static func binary(_ name: String) throws -> String {
        let versions = (13...20).reversed().map { "/usr/lib/postgresql/\($0)/bin/\(name)" }
        guard let found = versions.first(where: { access($0, X_OK) == 0 }) else {
            throw Failed(description: "no \(name)")
        }
        return found
    }
}

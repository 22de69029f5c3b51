import Glibc
import Platform
import TestSupport

/// A Postgres of one test's own, to be crashed. Its server refuses to be root, so that root lends it the user `postgres`.
final class PrivatePostgres: Sendable {
    enum Stop: String, Sendable, CaseIterable {
        /// Sessions are ended, a checkpoint is written.
        case fast
        /// A crash: the log is replayed at the next start.
        case immediate
    }

    struct Failed: Error, CustomStringConvertible { let description: String }

    private let port = StackPorts.take()
    private let folder: String
    private var data: String { "\(folder)/data" }

    private let password: String?

    var url: String { "postgresql://postgres\(password.map { ":\($0)" } ?? "")@127.0.0.1:\(port)/postgres" }

    private init(folder: String, password: String?) {
        self.folder = folder
        self.password = password
    }

    /// - Parameter password: of the user `postgres`; without one everybody of this machine is let in.
    static func make(password: String? = nil) async throws -> PrivatePostgres {
        let server = PrivatePostgres(
            folder: try StackFolder.make("postgres-\(UInt64.random(in: .min ... .max))"), password: password)
        do {
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

    func start() async throws {
        let settings =
            "-c listen_addresses=127.0.0.1 -c port=\(port) -c unix_socket_directories=\(folder) -c max_connections=100"
        try await command(
            try Self.binary("pg_ctl"),
            ["--pgdata=\(data)", "--wait", "--log=\(folder)/server.log", "--options=\(settings)", "start"])
    }

    func stop(_ how: Stop) async throws {
        try await command(try Self.binary("pg_ctl"), ["--pgdata=\(data)", "--wait", "--mode=\(how.rawValue)", "stop"])
    }

    func remove() async {
        try? await stop(.immediate)
        try? await command("/bin/rm", ["-rf", folder], asServer: false)
        unlink("\(folder).commands.log")
    }

    private func command(_ binary: String, _ arguments: [String], asServer: Bool = true) async throws {
        let lends = asServer && getuid() == 0
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

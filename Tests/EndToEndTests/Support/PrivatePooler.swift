import FaultSupport
import Glibc
import Platform
import PostgresClient
import TestSupport

/// A PgBouncer of one test's own, in transaction mode, before the Postgres of the test run.
///
/// Few server connections for many clients, so that consecutive statements of one client really go to different servers.
final class PrivatePooler: Sendable {
    struct Failed: Error, CustomStringConvertible { let description: String }

    /// Server connections for one database and user.
    static let servers = 4

    let port = StackPorts.take()
    private let folder: String
    private let process = Lock<ServiceProcess?>(nil)

    /// - Parameter dsn: of the server behind it, and of the user that may connect.
    init(to dsn: String) throws {
        guard access("/usr/sbin/pgbouncer", X_OK) == 0 else { throw Failed(description: "no /usr/sbin/pgbouncer") }
        folder = try StackFolder.make("pooler-\(UInt64.random(in: .min ... .max))")
        let parts = try PGConfiguration(dsn: dsn).programEnvironment().mapValues { $0.reveal() }
        let (user, password) = (parts["PGUSER"] ?? "postgres", parts["PGPASSWORD"] ?? "")
        try StackFolder.write("\"\(user)\" \"\(password)\"\n", to: "\(folder)/users")
        try StackFolder.write(
            """
            [databases]
            * = host=127.0.0.1 port=\(parts["PGPORT"] ?? "5432") user=\(user) password=\(password)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = \(password.isEmpty ? "trust" : "scram-sha-256")
            auth_file = \(folder)/users
            pool_mode = transaction
            default_pool_size = \(Self.servers)
            max_client_conn = 500
            query_wait_timeout = 30
            server_round_robin = 1
            """, to: "\(folder)/pgbouncer.ini")
        try start()
    }

    /// Starts it, on the same port as before.
    func start() throws {
        // It refuses to be root; then root lends it the user of Postgres.
        let lent = getuid() == 0
        if lent { try Self.give(folder) }
        let server = try ServiceProcess(
            name: "pgbouncer", binary: lent ? "/sbin/runuser" : "/usr/sbin/pgbouncer",
            arguments: (lent ? ["-u", "postgres", "--", "/usr/sbin/pgbouncer"] : []) + ["\(folder)/pgbouncer.ini"],
            environment: [:], logPath: "\(folder)/pgbouncer.log")
        process.withLock { $0 = server }
    }

    private static func give(_ folder: String) throws {
        guard let user = getpwnam("postgres") else { throw Failed(description: "no user postgres") }
        for path in [folder, "\(folder)/users", "\(folder)/pgbouncer.ini"] {
            chown(path, user.pointee.pw_uid, user.pointee.pw_gid)
        }
    }

    func ready(_ stack: Stack) async throws {
        let dsn = try stack.database.dsn(through: port)
        try await stack.eventually(
            "the pooler lets in: \(StackFolder.tail(of: StackFolder.read("\(folder)/pgbouncer.log")))"
        ) {
            let connection = try await PGConnection.open(
                Self.configuration(dsn), loop: stack.loop, log: .disabled)
            await connection.close()
            return true
        }
    }

    static func configuration(_ dsn: String) -> PGConfiguration {
        var configuration = PGConfiguration(dsn: dsn)
        configuration.namedStatements = false
        return configuration
    }

    /// The last thing.
    func stop() async {
        // A client of runuser's is its child: told to end, both do.
        let server = process.withLock { $0 }
        server?.send(SIGTERM)
        _ = try? await server?.waitForEnd()
        process.withLock { $0 = nil }
        StackFolder.remove(folder)
    }
}

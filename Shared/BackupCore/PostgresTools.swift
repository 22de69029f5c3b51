import Glibc
import Platform
package import PostgresClient

/// `pg_dump` and `psql`, told where to go through their environment. Every method blocks.
package struct PostgresTools: Sendable {
    /// How long `pg_dump` waits for a table that a migration holds.
    static let lockTimeoutMilliseconds = 60_000
    /// What a child may see of our own environment: where programs, home and time zone data are.
    static let inherited = ["PATH", "HOME", "TMPDIR", "PGPASSFILE", "PGSERVICEFILE", "PGSYSCONFDIR"]

    private let configuration: PGConfiguration
    private var database: String?
    /// Where the programs are; nil for the PATH.
    var folder: String?

    /// - Throws: `.unsuitable` when the DSN can not be read.
    package init(_ configuration: PGConfiguration) throws(BackupError) {
        self.configuration = configuration
        _ = try environment()
    }

    /// The same, connecting to another database of that server.
    func using(database: String) -> PostgresTools {
        var copy = self
        copy.database = database
        return copy
    }

    /// Made for each program: a reload may have brought another password.
    private func environment() throws(BackupError) -> [String: Secret<String>] {
        var environment: [String: Secret<String>]
        do throws(PGError) { environment = try configuration.programEnvironment() } catch {
            throw BackupError(.unsuitable, error.message)
        }
        for name in Self.inherited where environment[name] == nil {
            environment[name] = getenv(name).map { Secret(String(cString: $0)) }
        }
        if let database { environment["PGDATABASE"] = Secret(database) }
        environment["PGAPPNAME"] = Secret("aragora-backup")
        environment["PGCONNECT_TIMEOUT"] = Secret(String(max(2, configuration.connectTimeout.milliseconds / 1000)))
        environment["PGCLIENTENCODING"] = Secret("UTF8")
        // The messages are read by us, and by operators who search for them.
        environment["LC_ALL"] = Secret("C")
        return environment
    }

    /// - Parameter serverVersion: as Postgres numbers itself, for example 150020.
    /// - Throws: ``BackupError`` `.unavailable` when a program is missing, `.unsuitable` when it is older than the server:
    ///   `pg_dump` refuses a newer server, and it is better to hear that at start than at night.
    package func check(serverVersion: Int) throws {
        for program in ["pg_dump", "psql"] {
            let version = try majorVersion(of: program)
            guard version >= serverVersion / 10_000 else {
                let needed = serverVersion / 10_000
                throw BackupError(
                    .unsuitable,
                    "\(program) is version \(version), the server \(needed): install postgresql-client-\(needed)")
            }
        }
    }

    func majorVersion(of program: String) throws -> Int {
        var answer: [UInt8] = []
        try child(program, ["--version"]).runChecked(stop: StopFlag(), output: { answer += $0 })
        guard let version = Self.majorVersion(in: String(decoding: answer, as: UTF8.self)) else {
            throw BackupError(.unavailable, "\(program) --version says nothing that is understood")
        }
        return version
    }

    /// The version in `pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`.
    static func majorVersion(in text: String) -> Int? {
        guard let words = text.split(separator: ")", maxSplits: 1).last else { return nil }
        return Int(words.drop { $0 == " " }.prefix { $0.isNumber })
    }

    /// Writes the whole database as SQL text, as the exported snapshot shows it.
    ///
    /// Without owners and grants: it is restored by, and for, whoever restores it.
    func dump(snapshot: String, stop: StopFlag, output: ([UInt8]) throws -> Void) throws {
        let arguments = [
            "--no-password", "--format=plain", "--encoding=UTF8", "--no-owner", "--no-privileges",
            "--lock-wait-timeout=\(Self.lockTimeoutMilliseconds)", "--snapshot=\(snapshot)",
        ]
        try child("pg_dump", arguments).runChecked(stop: stop, output: output)
    }

    /// Runs SQL text; the first error ends it.
    func run(stop: StopFlag, script: () throws -> [UInt8]?) throws {
        let arguments = [
            "--no-password", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-",
        ]
        try child("psql", arguments).runChecked(stop: stop, input: script)
    }

    private func child(_ program: String, _ arguments: [String]) throws(BackupError) -> ChildProcess {
        let path = folder.map { "\($0)/\(program)" } ?? program
        return ChildProcess(
            program: path, arguments: arguments, environment: try environment().mapValues { $0.reveal() })
    }
}

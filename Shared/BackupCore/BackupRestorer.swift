package import Contracts
import Glibc
package import Platform
package import PostgresClient
package import Sockets
import Storage

/// Brings a database back from a verified backup, in one transaction: all of it or nothing.
package struct BackupRestorer: Sendable {
    /// What was brought back.
    package struct Outcome: Sendable {
        package let manifest: BackupManifest?
        package let debates: Int
        package let events: Int
        /// The log's new generation: no cache of the life before can answer for it.
        package let generation: Int64
        /// Migrations that this program has and the backup did not; `aragora db migrate` applies them.
        package let pendingMigrations: [String]
    }

    /// How long the restore waits for a table that someone else uses.
    static let lockTimeoutSeconds = 10

    private let configuration: PGConfiguration
    private let tools: PostgresTools
    private let loop: EventLoop
    private let blocking: BlockingExecutor
    private let log: Log

    /// - Parameter configuration: the database to restore into, reached directly.
    /// - Throws: ``BackupError`` `.unsuitable` when the DSN can not be read.
    package init(
        configuration: PGConfiguration, loop: EventLoop, blocking: BlockingExecutor, log: Log
    ) throws(BackupError) {
        self.configuration = configuration
        tools = try PostgresTools(configuration)
        self.loop = loop
        self.blocking = blocking
        self.log = log
    }

    /// Reads a backup to its end and compares it with its manifest, when it has one beside it.
    /// - Returns: the manifest; nil for a dump that came without.
    /// - Throws: ``BackupError`` `.damaged`, `.files`.
    package static func check(_ path: String, blocking: BlockingExecutor) async throws -> BackupManifest? {
        try await StopFlag.run(on: blocking) { stop in
            let (folder, name) = try locate(path)
            let file = DumpFile(path: path)
            guard let name, access(folder.file(name.manifest), R_OK) == 0 else {
                try file.read(stop: stop)
                return nil
            }
            let manifest = try folder.manifest(of: name)
            try file.check(against: manifest, stop: stop)
            return manifest
        }
    }

    /// Restores it once into a scratch database beside this one, and walks the logs there.
    /// - Throws: ``BackupError``, as a backup's own proof does.
    package func prove(_ path: String) async throws -> LogVerifier.Report {
        let manifest = try await Self.check(path, blocking: blocking)
        let counts = manifest.map { Dictionary($0.rowCounts.map { ($0.table, $0.rows) }) { first, _ in first } }
        let connection = try await PGConnection.open(BackupSession.patient(configuration), loop: loop, log: log)
        do {
            let trial = TrialRestore(
                configuration: configuration, tools: tools, loop: loop, blocking: blocking, log: log)
            let report = try await trial.run(DumpFile(path: path), expecting: counts, on: connection)
            await connection.close()
            return report
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Restores. The services must be stopped.
    /// - Parameter replacing: whether what the database holds may go.
    /// - Throws: ``BackupError`` `.targetInUse` when it holds tables and may not, or when others are connected; `.unequal`
    ///   when what came out does not verify, which leaves it there to be looked at.
    package func restore(_ path: String, replacing: Bool) async throws -> Outcome {
        let manifest = try await Self.check(path, blocking: blocking)
        return try await BackupSession.with(configuration, loop: loop, log: log) { connection in
            let serverVersion = Int(await connection.serverVersion)
            try await blocking.run { [tools] in try tools.check(serverVersion: serverVersion) }
            let isEmpty = try await Self.requireFree(connection, replacing: replacing)
            let before = isEmpty ? nil : try? await InstallationStore.installation(on: connection)
            let preamble = isEmpty ? Self.patience : Self.patience + Self.emptying
            try await StopFlag.run(on: blocking) { [tools] stop in
                let script = try RestoreScript(path: path, preamble: preamble, stop: stop)
                try tools.run(stop: stop) { try script.next() }
            }
            return try await finish(manifest, generationBefore: before?.generation ?? 0)
        }
    }

    // MARK: Steps

    /// - Returns: whether the database holds no table.
    private static func requireFree(_ connection: PGConnection, replacing: Bool) async throws -> Bool {
        let others = try await connection.query(
            """
            SELECT DISTINCT coalesce(nullif(application_name, ''), 'unnamed') AS name FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY name
            """
        ).map { try $0.text("name") }
        guard others.isEmpty else {
            throw BackupError(
                .targetInUse, "others are connected (\(others.joined(separator: ", "))): stop the services first")
        }
        let tables = try await connection.query(
            """
            SELECT count(*) AS tables FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
            """)[0].int("tables")
        guard tables == 0 || replacing else {
            throw BackupError(.targetInUse, "the database holds \(tables) tables and views; --force replaces them all")
        }
        return tables == 0
    }

    private func finish(_ manifest: BackupManifest?, generationBefore: Int64) async throws -> Outcome {
        let pool = PGPool(configuration: BackupSession.patient(configuration), loop: loop, log: log)
        await pool.start()
        do {
            // First of all: from here on nothing that remembers the life before is believed.
            let generation = try await InstallationStore(pool: pool).raiseGeneration(above: generationBefore)
            log.info("backup restored", .file(manifest?.file ?? "unnamed"))
            let report = try await LogVerifier(pool: pool).verifyAll()
            guard report.isSound else {
                throw BackupError(
                    .unequal, "restored, but \(report.problems.first?.description ?? "the logs do not verify")")
            }
            let pending = try await Migrator.pending(
                StorageMigrations.all, configuration: configuration, loop: loop, log: log)
            await pool.close()
            return Outcome(
                manifest: manifest, debates: report.debates, events: report.events, generation: generation,
                pendingMigrations: pending.map { "\($0.version) \($0.name)" })
        } catch {
            await pool.close()
            throw error
        }
    }

    /// The folder and name of a backup, through a link such as `latest`.
    private static func locate(_ path: String) throws -> (BackupFolder, BackupName?) {
        guard let resolved = realpath(path, nil) else { throw BackupError.file("open", path) }
        defer { free(resolved) }
        let parts = String(cString: resolved).split(separator: "/", omittingEmptySubsequences: false)
        let folder = BackupFolder(path: parts.dropLast().joined(separator: "/"))
        return (folder, parts.last.flatMap { BackupName(file: String($0)) })
    }

    private static let patience = "SET LOCAL lock_timeout = '\(lockTimeoutSeconds)s';\n"
    /// In the restore's transaction, so that a restore that fails has removed nothing.
    private static let emptying = """
        DROP SCHEMA public CASCADE;
        CREATE SCHEMA public;
        GRANT USAGE ON SCHEMA public TO PUBLIC;

        """
}

import Compression
import Contracts
import Crypto
import Domain
package import Platform
package import PostgresClient
package import Sockets
import Storage

/// Makes one backup: dump, read it whole, restore it once, walk the restored logs, compare the counts, and only then give
/// it its name.
package struct BackupRunner: Sendable {
    package let folder: BackupFolder
    private let retention: RetentionPolicy
    private let configuration: PGConfiguration
    var tools: PostgresTools
    private let loop: EventLoop
    private let blocking: BlockingExecutor
    private let log: Log

    /// - Parameter configuration: a direct connection; a transaction pooler keeps no lock and no snapshot.
    /// - Throws: ``BackupError`` `.unsuitable` when the DSN can not be read.
    package init(
        folder: BackupFolder, retention: RetentionPolicy, configuration: PGConfiguration, loop: EventLoop,
        blocking: BlockingExecutor, log: Log
    ) throws(BackupError) {
        self.folder = folder
        self.retention = retention
        self.configuration = configuration
        tools = try PostgresTools(configuration)
        self.loop = loop
        self.blocking = blocking
        self.log = log
    }

    /// Shows that a backup could begin: the folder can be written, the programs are there and new enough.
    /// - Throws: ``BackupError``.
    package func check() async throws {
        try await BackupSession.with(configuration, loop: loop, log: log) { try await prepare($0) }
    }

    /// Makes a backup. Cancelling the caller's task ends it; nothing of it remains.
    /// - Throws: ``BackupError``, `PGError` or `StorageError`; the backups that were there are untouched.
    package func run() async throws -> BackupFolder.Entry {
        try await BackupSession.with(configuration, loop: loop, log: log) { connection in
            try await prepare(connection)
            let pool = PGPool(configuration: configuration, loop: loop, log: log)
            await pool.start()
            do {
                let entry = try await make(connection, BackupStore(pool: pool))
                await pool.close()
                return entry
            } catch {
                await pool.close()
                throw error
            }
        }
    }

    // MARK: Steps

    private func prepare(_ connection: PGConnection) async throws {
        let mayCreate: SQL = "SELECT rolcreatedb OR rolsuper AS may FROM pg_roles WHERE rolname = current_user"
        guard try await connection.query(mayCreate).first?.bool("may") == true else {
            throw BackupError(
                .unsuitable, "the role may not create the scratch database of a trial restore: ALTER ROLE … CREATEDB")
        }
        // Beside a database that was made a moment ago: the API still brings its schema.
        let isThere: SQL = "SELECT to_regclass('backups') IS NOT NULL AS there"
        guard try await connection.query(isThere).first?.bool("there") == true else {
            throw BackupError(.unavailable, "the schema is not there yet; it comes with: aragora db migrate")
        }
        let serverVersion = Int(await connection.serverVersion)
        try await blocking.run { [folder, tools] in
            try folder.prepare()
            try tools.check(serverVersion: serverVersion)
        }
    }

    private func make(_ connection: PGConnection, _ store: BackupStore) async throws -> BackupFolder.Entry {
        try await cleanUp(connection, store)
        let begun = WallClock.nowMilliseconds()
        let name = try await blocking.run { [folder] in folder.freeName(from: begun / 1000) }
        let id = Identifier.make(prefix: "bkp_", milliseconds: begun, random: try RandomBytes.make(10))
        do {
            let dumped = try await dump(name, id, connection, store)
            let manifest = try await prove(name, dumped, begun, connection)
            KillPoint.reach(.beforeBackupRename)
            try await blocking.run { [folder] in try folder.publish(name, manifest) }
            log.info("backup verified", .file(name.file), .bytes(Int(manifest.sizeBytes)))
            await note {
                let counts = JSONObject(manifest.rowCounts.map { ($0.table, .int($0.rows)) })
                try await store.verified(
                    id: id, sizeBytes: manifest.sizeBytes, checksum: manifest.sha256,
                    rowCounts: String(decoding: CanonicalJSON.encode(counts), as: UTF8.self))
            }
            await expire(store)
            return BackupFolder.Entry(name: name, manifest: manifest)
        } catch {
            _ = try? await blocking.run { [folder] in try folder.removePartial(name) }
            await note { try await store.failed(id: id, reason: "\(error)") }
            throw error
        }
    }

    /// What killed runs left. The lock says that none is running.
    private func cleanUp(_ connection: PGConnection, _ store: BackupStore) async throws {
        let files = try await blocking.run { [folder] in try folder.removeLeftovers() }
        let databases = try await ScratchDatabase.dropLeftovers(on: connection)
        try await store.abandonUnfinished()
        for leftover in files + databases { log.warning("leftover of a killed backup removed", .file(leftover)) }
    }

    /// Counts and dumps in one snapshot.
    private func dump(
        _ name: BackupName, _ id: String, _ connection: PGConnection, _ store: BackupStore
    ) async throws -> Dumped {
        try await connection.withTransaction(.readOnlySnapshot) { transaction in
            let snapshot = try await transaction.query("SELECT pg_export_snapshot() AS name")[0].text("name")
            let facts = try await BackupStore.facts(in: transaction)
            let counts = try await TableCounts.rows(in: transaction)
            // After the snapshot, so that the dump does not hold a run that never ends.
            await note { try await store.begin(id: id, file: name.file, generation: facts.generation) }
            try await StopFlag.run(on: blocking) { [folder, tools] stop in
                try Self.write(to: folder.file(name.partial)) {
                    try tools.dump(snapshot: snapshot, stop: stop, output: $0)
                }
            }
            return Dumped(facts: facts, counts: counts, serverVersion: Int64(await connection.serverVersion))
        }
    }

    private static func write(to path: String, _ produce: (([UInt8]) throws -> Void) throws -> Void) throws {
        let file = try OutputBox(path: path)
        let writer = try GzipWriter { try file.write($0) }
        try produce { try writer.write($0) }
        try writer.finish()
        try file.sync()
    }

    private func prove(
        _ name: BackupName, _ dumped: Dumped, _ begun: Int64, _ connection: PGConnection
    ) async throws -> BackupManifest {
        let file = DumpFile(path: folder.file(name.partial))
        let facts = try await StopFlag.run(on: blocking) { try file.read(stop: $0) }
        let trial = TrialRestore(
            configuration: configuration, tools: tools, loop: loop, blocking: blocking, log: log)
        let report = try await trial.run(file, expecting: dumped.counts, on: connection)
        return BackupManifest(
            file: name.file, startedAt: ISO8601.string(milliseconds: begun),
            verifiedAt: ISO8601.string(milliseconds: WallClock.nowMilliseconds()), sizeBytes: facts.sizeBytes,
            uncompressedBytes: facts.uncompressedBytes, sha256: facts.sha256,
            rowCounts: dumped.counts.sorted { $0.key < $1.key }.map { .init(table: $0.key, rows: $0.value) },
            generation: dumped.facts.generation, schemaVersion: dumped.facts.schemaVersion,
            serverVersion: dumped.serverVersion, debates: Int64(report.debates), events: Int64(report.events))
    }

    /// Failing to remove an old backup does not make the new one bad.
    private func expire(_ store: BackupStore) async {
        await note {
            let removed = try await blocking.run { [folder, retention] in
                let names = try folder.entries().map(\.name)
                let expired = retention.expired(names, now: WallClock.nowMilliseconds() / 1000)
                for name in expired { try folder.remove(name) }
                return expired
            }
            for name in removed {
                log.info("backup expired", .file(name.file))
                try await store.expired(file: name.file)
            }
        }
    }

    /// The rows of `backups` are for people; the files are what counts. Told also when the run was told to stop.
    private func note(_ body: @escaping @Sendable () async throws -> Void) async {
        do { try await Uncancelled.run(on: loop, body) } catch {
            log.warning("backup bookkeeping failed", .error(error))
        }
    }
}

/// What the dump's snapshot held.
private struct Dumped: Sendable {
    let facts: BackupStore.SnapshotFacts
    let counts: [String: Int64]
    let serverVersion: Int64
}

/// An output file that an escaping closure may hold.
private final class OutputBox {
    private let file: OutputFile
    init(path: String) throws { file = try OutputFile(path: path) }
    func write(_ bytes: [UInt8]) throws { try file.write(bytes) }
    func sync() throws { try file.sync() }
}

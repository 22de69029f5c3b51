import Contracts
import Crypto
import Domain
import Foundation
import Ledger
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing

@testable import BackupCore

/// Real dumps of a real Postgres, restored for real.
@Suite("Backup and restore", .needsPostgres)
struct BackupEndToEndTests {
    @Test(
        "a backup is made, proved, listed and linked; restored elsewhere, its logs verify and are of a new generation")
    func wholeWay() async throws {
        try await BackupBench.with { bench in
            let debates = try await bench.fill(debates: 3, eventsEach: 4)
            let entry = try await bench.runner().run()
            #expect(entry.manifest.debates == 3)
            #expect(entry.manifest.events == 12)
            #expect(entry.manifest.rowCounts.contains(.init(table: "debate_events", rows: 12)))
            #expect(entry.manifest.schemaVersion == Int64(StorageMigrations.all.count))
            let link = try FileManager.default.destinationOfSymbolicLink(atPath: bench.folder.file(BackupFolder.latest))
            #expect(link == entry.name.file)
            #expect(try await bench.scratchDatabases() == [])
            #expect(try await bench.states() == ["verified"])

            let other = try await bench.makeDatabase("other")
            let restorer = try bench.restorer(into: other)
            let outcome = try await restorer.restore(bench.folder.file(BackupFolder.latest), replacing: false)
            #expect(outcome.manifest == entry.manifest)
            #expect(outcome.events == 12)
            #expect(outcome.generation == entry.manifest.generation + 1)
            #expect(outcome.pendingMigrations == [])
            let restored = try await bench.inDatabase(other) { pool in
                try await PostgresEventLog(pool: pool).read(debates[1], from: 1, limit: 100)
            }
            #expect(restored == (try await PostgresEventLog(pool: bench.pool).read(debates[1], from: 1, limit: 100)))
        }
    }

    @Test("a restore into a database that holds something is refused, and with force replaces all of it")
    func force() async throws {
        try await BackupBench.with { bench in
            _ = try await bench.fill(debates: 1, eventsEach: 2)
            let entry = try await bench.runner().run()
            let path = bench.folder.file(entry.name.file)
            let other = try await bench.makeDatabase("full")
            try await bench.inDatabase(other) { pool in
                _ = try await pool.execute("CREATE TABLE precious (id int)")
                _ = try await pool.execute("CREATE TABLE installation (generation bigint, changed_at timestamptz)")
                _ = try await pool.execute("INSERT INTO installation VALUES (41, now())")
            }
            let restorer = try bench.restorer(into: other)
            await expect(code: .targetInUse) { _ = try await restorer.restore(path, replacing: false) }
            let outcome = try await restorer.restore(path, replacing: true)
            // Higher than any that either database ever had: no cache can mistake one for the other.
            #expect(outcome.generation == 42)
            try await bench.inDatabase(other) { pool in
                let gone = try await pool.query("SELECT to_regclass('precious') IS NULL AS gone")[0].bool("gone")
                #expect(gone)
            }
        }
    }

    @Test("a restore is refused while others are connected")
    func connected() async throws {
        try await BackupBench.with { bench in
            let entry = try await bench.runner().run()
            let other = try await bench.makeDatabase("busy")
            let restorer = try bench.restorer(into: other)
            try await bench.inDatabase(other) { _ in
                await expect(code: .targetInUse) {
                    _ = try await restorer.restore(bench.folder.file(entry.name.file), replacing: true)
                }
            }
        }
    }

    @Test(
        "a damaged backup is refused before anything of the target is touched",
        arguments: ["cut", "altered", "without its end"])
    func damaged(how: String) async throws {
        try await BackupBench.with { bench in
            _ = try await bench.fill(debates: 1, eventsEach: 2)
            let entry = try await bench.runner().run()
            let path = bench.folder.file(entry.name.file)
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            switch how {
            case "cut": bytes.removeLast(bytes.count / 3)
            case "altered": bytes[bytes.count / 2] ^= 1
            default: bytes = Array(bytes.prefix(20))
            }
            try Data(bytes).write(to: URL(filePath: path))
            let other = try await bench.makeDatabase("spared")
            let restorer = try bench.restorer(into: other)
            await expect(code: .damaged) { _ = try await restorer.restore(path, replacing: true) }
            await expect(code: .damaged) { _ = try await BackupRestorer.check(path, blocking: bench.blocking) }
            try await bench.inDatabase(other) { pool in
                let tables = try await pool.query(
                    "SELECT count(*) AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace")
                #expect(try tables[0].int("n") == 0)
            }
        }
    }

    @Test("a dump that fails half way leaves the last good backup alone, is recorded, and leaves nothing behind")
    func failingDump() async throws {
        try await BackupBench.with { bench in
            let good = try await bench.runner().run()
            let programs = try TemporaryFolder()
            try programs.script(
                "pg_dump",
                """
                if [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) 99.0"; exit 0; fi
                echo "CREATE TABLE half ();"
                echo "pg_dump: error: query failed: ERROR:  connection lost" >&2
                exit 1
                """)
            try programs.script("psql", "exec /usr/bin/psql \"$@\"")
            var runner = try bench.runner(days: 1)
            runner.tools.folder = programs.path
            await expect(code: .toolFailed) { _ = try await runner.run() }
            try await Self.expectOnly(good, in: bench, states: ["failed", "verified"])
        }
    }

    @Test("a dump that can not be restored is no backup, and the last good one stays")
    func failingRestore() async throws {
        try await BackupBench.with { bench in
            let good = try await bench.runner().run()
            // A check that looks at another table, which holds more by the time it runs again.
            for statement: SQL in [
                "CREATE TABLE a_rows (id int)",
                "CREATE FUNCTION a_is_empty() RETURNS boolean LANGUAGE sql AS 'SELECT count(*) = 0 FROM public.a_rows'",
                "CREATE TABLE b_rows (id int CHECK (a_is_empty()))", "INSERT INTO b_rows VALUES (1)",
                "INSERT INTO a_rows VALUES (1)",
            ] { _ = try await bench.pool.execute(statement) }
            await expect(code: .toolFailed) { _ = try await bench.runner(days: 1).run() }
            try await Self.expectOnly(good, in: bench, states: ["failed", "verified"])
        }
    }

    private static func expectOnly(_ good: BackupFolder.Entry, in bench: BackupBench, states: [String]) async throws {
        #expect(try bench.folder.entries().map(\.name) == [good.name])
        #expect(try bench.files() == [good.name.manifest, good.name.file, BackupFolder.latest].sorted())
        #expect(try await bench.states() == states)
        #expect(try await bench.scratchDatabases() == [])
    }

    @Test("a backup whose log does not verify is not one")
    func brokenChain() async throws {
        try await BackupBench.with { bench in
            let debates = try await bench.fill(debates: 2, eventsEach: 3)
            _ = try await bench.pool.execute("ALTER TABLE debate_events DISABLE TRIGGER USER")
            _ = try await bench.pool.execute(
                "UPDATE debate_events SET data = 'forged' WHERE debate_id = \(debates[0].text) AND seq = 2")
            await expect(code: .unequal) { _ = try await bench.runner().run() }
            #expect(try bench.folder.entries().isEmpty)
            let report = try await LogVerifier(pool: bench.pool).verifyAll()
            #expect(report.problems.map(\.seq) == [2])
            #expect(report.problems.map(\.debate) == [debates[0]])
        }
    }

    @Test("what a killed run left is removed by the next: files, scratch databases, rows")
    func leftovers() async throws {
        try await BackupBench.with { bench in
            try bench.folder.prepare()
            _ = try Data([1]).write(to: URL(filePath: bench.folder.file("aragora-20260102_030405.sql.gz.partial")))
            let oid = try await bench.pool.query(
                "SELECT oid::bigint AS oid FROM pg_database WHERE datname = current_database()")[0].int64("oid")
            _ = try await bench.administer("CREATE DATABASE \(raw: "\(ScratchDatabase.prefix)\(oid)_killed")")
            try await BackupStore(pool: bench.pool).begin(id: "bkp_killed", file: "f", generation: 1)
            let entry = try await bench.runner().run()
            #expect(try bench.files() == [entry.name.manifest, entry.name.file, BackupFolder.latest].sorted())
            #expect(try await bench.scratchDatabases() == [])
            #expect(try await bench.states() == ["failed", "verified"])
        }
    }

    @Test("two runs of one database never overlap: the second says busy")
    func single() async throws {
        try await BackupBench.with { bench in
            try await BackupSession.with(bench.configuration, loop: bench.pool.loop, log: .disabled) { _ in
                await expect(code: .busy) { _ = try await bench.runner().run() }
            }
        }
    }

    @Test("a backup that is cancelled leaves nothing")
    func cancelled() async throws {
        try await BackupBench.with { bench in
            let runner = try bench.runner()
            let run = Task(executorPreference: bench.pool.loop) { try await runner.run() }
            run.cancel()
            await #expect(throws: (any Error).self) { try await run.value }
            #expect(try await bench.scratchDatabases() == [])
            #expect((try? bench.folder.entries().isEmpty) != false)
        }
    }

    @Test("a server newer than the tools is refused before anything is done")
    func oldTools() async throws {
        try await BackupBench.with { bench in
            let tools = try PostgresTools(bench.configuration)
            let error = #expect(throws: BackupError.self) { try tools.check(serverVersion: 990_000) }
            #expect(error?.code == .unsuitable)
        }
    }

    @Test("a database whose schema is still to come is waited for, not failed on")
    func schemaToCome() async throws {
        try await BackupBench.with { bench in
            let new = try await bench.makeDatabase("new")
            let runner = try BackupRunner(
                folder: bench.folder, retention: RetentionPolicy(days: 7),
                configuration: try bench.configuration.connecting(toDatabase: new), loop: bench.pool.loop,
                blocking: bench.blocking, log: .disabled)
            await expect(code: .unavailable) { try await runner.check() }
        }
    }

    @Test("expired backups go, the newest never does")
    func expires() async throws {
        try await BackupBench.with { bench in
            let first = try await bench.runner().run()
            // Ten years ago, by its name.
            let old = BackupName(second: first.name.second - 315_000_000)
            for (from, to) in [(first.name.file, old.file), (first.name.manifest, old.manifest)] {
                try FileManager.default.moveItem(atPath: bench.folder.file(from), toPath: bench.folder.file(to))
            }
            let text = try String(contentsOfFile: bench.folder.file(old.manifest), encoding: .utf8)
                .replacingOccurrences(of: first.name.file, with: old.file)
            try Data(text.utf8).write(to: URL(filePath: bench.folder.file(old.manifest)))
            #expect(try bench.folder.entries().map(\.name) == [old])
            let second = try await bench.runner().run()
            #expect(try bench.folder.entries().map(\.name) == [second.name])
        }
    }
}

/// A database of its own, migrated, and a folder for its backups.
struct BackupBench: Sendable {
    let pool: PGPool
    let configuration: PGConfiguration
    let folder: BackupFolder
    let blocking = BlockingExecutor(label: "test-backup", threads: 4)
    private let databases: Lock<[String]>

    static func with(_ body: (BackupBench) async throws -> Void) async throws {
        let name = "t_backup_" + String(UInt64.random(in: .min ... .max), radix: 36)
        let server = try TestDatabase.configuration()
        let loop = try EventLoop(name: name)
        let temporary = try TemporaryFolder()
        try await TestDatabase.administer("CREATE DATABASE \(raw: name)", on: loop)
        let configuration = try server.connecting(toDatabase: name)
        let pool = PGPool(configuration: configuration, loop: loop, log: .disabled)
        let bench = BackupBench(
            pool: pool, configuration: configuration, folder: BackupFolder(path: temporary.path),
            databases: Lock([name]))
        let outcome: Result<Void, any Error>
        do {
            try await Migrator.migrate(StorageMigrations.all, configuration: configuration, loop: loop, log: .disabled)
            await pool.start()
            try await body(bench)
            outcome = .success(())
        } catch { outcome = .failure(error) }
        await pool.close()
        for database in bench.databases.withLock({ $0 }) {
            try? await TestDatabase.dropDatabase(database, on: loop)
        }
        loop.stop()
        try outcome.get()
    }

    func runner(days: Int = 7) throws -> BackupRunner {
        try BackupRunner(
            folder: folder, retention: RetentionPolicy(days: days), configuration: configuration, loop: pool.loop,
            blocking: blocking, log: .disabled)
    }

    func restorer(into database: String) throws -> BackupRestorer {
        try BackupRestorer(
            configuration: try configuration.connecting(toDatabase: database), loop: pool.loop, blocking: blocking,
            log: .disabled)
    }

    /// Debates with logs that verify, that nobody runs.
    func fill(debates count: Int, eventsEach: Int) async throws -> [DebateID] {
        var ids: [DebateID] = []
        for index in 0..<count {
            let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
            let id = DebateID(milliseconds: now.milliseconds, random: try RandomBytes.make(10))
            let spec = try DebateSpec(
                topic: "Question \(index)",
                agents: (1...2).map { AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo") })
            var chain = EventChain(debateID: id)
            let start = try chain.seal(
                .debateStart(DebateStart(spec: spec, engineVersion: .current)), at: now, epoch: 0)
            let created = try await DebateStore(pool: pool).create(
                NewDebate(
                    id: id, slug: "question-\(id.text)", spec: spec, specDocument: Array("{}".utf8),
                    metadata: Array("{}".utf8),
                    createdAt: now, createdBy: "test", start: start))
            #expect(created == .created)
            for _ in 1..<eventsEach {
                _ = try await CommandStore(pool: pool).take(.remark(Remark("hello")), of: id, by: "ann") { run in
                    var chain = EventChain(debateID: id, tail: run.tail)
                    let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
                    return chain.seal(
                        .userMessage(author: "ann", Remark("hello")), at: now, epoch: run.epoch, salt: salt)
                }
            }
            ids.append(id)
        }
        return ids
    }

    func makeDatabase(_ suffix: String) async throws -> String {
        let name = "t_backup_\(suffix)_" + String(UInt64.random(in: .min ... .max), radix: 36)
        databases.withLock { $0.append(name) }
        try await administer("CREATE DATABASE \(raw: name)")
        return name
    }

    @discardableResult
    func administer(_ sql: SQL) async throws -> [Row] { try await TestDatabase.administer(sql, on: pool.loop) }

    func inDatabase<Value>(_ name: String, _ body: (PGPool) async throws -> Value) async throws -> Value {
        let other = PGPool(
            configuration: try configuration.connecting(toDatabase: name), loop: pool.loop, log: .disabled)
        do {
            try await other.open()
            let value = try await body(other)
            await other.close()
            return value
        } catch {
            await other.close()
            throw error
        }
    }

    func scratchDatabases() async throws -> [String] {
        let oid = try await pool.query(
            "SELECT oid::bigint AS oid FROM pg_database WHERE datname = current_database()")[0].int64("oid")
        return try await pool.query(
            """
            SELECT datname::text AS name FROM pg_database
            WHERE starts_with(datname, \(ScratchDatabase.prefix + String(oid)))
            """
        ).map { try $0.text("name") }
    }

    /// What `backups` says of the runs.
    func states() async throws -> [String] {
        try await pool.query("SELECT status FROM backups ORDER BY status").map { try $0.text("status") }
    }

    func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
}

/// Expects a ``BackupError`` of this code.
func expect(
    code: BackupError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch {
        #expect((error as? BackupError)?.code == code, "\(error)", sourceLocation: sourceLocation)
    }
}

import Domain
import Foundation
import Glibc
import Platform
import PostgresClient
import TestSupport
import Testing

@testable import BackupCore

/// The real `aragora`, as an operator starts it; `make test` says where it is.
@Suite(
    "Backup commands", .needsPostgres,
    .enabled(if: getenv("ARAGORA_BIN_DIR") != nil || Backends.isRequired, "ARAGORA_BIN_DIR is not set"))
struct BackupCommandTests {
    @Test("a backup killed just before it gets its name is not listed, and the next run clears what it left")
    func killed() async throws {
        try await BackupBench.with { bench in
            _ = try await bench.fill(debates: 1, eventsEach: 2)
            let killed = try await run(["backup", "create"], bench, ["ARAGORA_KILL_POINT": "before-backup-rename"])
            #expect(killed.code == 128 + SIGKILL)
            #expect(try bench.files().count { $0.hasSuffix(".partial") } == 1)
            #expect(try bench.folder.entries().isEmpty)
            #expect(try await bench.states() == ["in_progress"])

            let again = try await run(["backup", "create"], bench)
            #expect(again.code == 0)
            #expect(again.output.contains("restored once: 1 debates, 2 events"))
            #expect(try bench.files().count == 3)
            #expect(try await bench.states() == ["failed", "verified"])
        }
    }

    @Test("schema, walk, list and restore, one command after the other")
    func wholeWay() async throws {
        try await BackupBench.with { bench in
            _ = try await bench.fill(debates: 2, eventsEach: 3)
            let check = try await run(["db", "migrate", "--check"], bench)
            #expect(check.code == 0)
            #expect(check.output == "up to date\n")
            let verified = try await run(["db", "verify", "--json"], bench)
            #expect(verified.output.contains("\"debates\":2,\"erased_events\":0,\"events\":6"))
            #expect(try await run(["backup", "create", "--json"], bench).code == 0)
            #expect(try await run(["backup", "list"], bench).output.contains("2 debates, 6 events"))
            #expect(try await run(["backup", "verify"], bench).code == 0)

            let target = try await bench.makeDatabase("cli")
            let pending = try await run(["db", "migrate", "--check"], bench, database: target)
            #expect(pending.code == 1)
            let restored = try await run(["backup", "restore", "latest", "--database", target], bench)
            #expect(restored.code == 0)
            #expect(restored.output.contains("generation is now 2"))
            #expect(try await run(["db", "migrate", "--check"], bench, database: target).code == 0)
        }
    }

    @Test("a damaged log is named by its first bad event, with code 1")
    func damagedLog() async throws {
        try await BackupBench.with { bench in
            let debates = try await bench.fill(debates: 1, eventsEach: 4)
            _ = try await bench.pool.execute("ALTER TABLE debate_events DISABLE TRIGGER USER")
            _ = try await bench.pool.execute("UPDATE debate_events SET round = 9 WHERE seq = 3")
            let verified = try await run(["db", "verify"], bench)
            #expect(verified.code == 1)
            #expect(verified.output.contains("\(debates[0].text): event 3: its hash does not cover it"))
        }
    }

    private func run(
        _ words: [String], _ bench: BackupBench, _ more: [String: String] = [:], database: String? = nil
    ) async throws -> (code: Int32, output: String) {
        let folder = try #require(getenv("ARAGORA_BIN_DIR").map { String(cString: $0) })
        let target = try database.map { try bench.configuration.connecting(toDatabase: $0) } ?? bench.configuration
        var environment = ["PATH": "/usr/bin:/bin", "ARAGORA_BACKUP_DIR": bench.folder.path]
        environment["ARAGORA_POSTGRES_DSN"] = target.dsn.reveal()
        let child = ChildProcess(
            program: "\(folder)/aragora", arguments: words, environment: environment.merging(more) { $1 })
        return try await StopFlag.run(on: bench.blocking) { stop in
            var output: [UInt8] = []
            let exit = try child.run(stop: stop, output: { output += $0 })
            return (exit.code, String(decoding: output, as: UTF8.self))
        }
    }
}

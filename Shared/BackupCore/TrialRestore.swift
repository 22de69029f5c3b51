import Platform
import PostgresClient
import Sockets
import Storage
import Crypto

/// Restores a dump into a scratch database and looks at what came out: the only proof that a backup is one.
struct TrialRestore: Sendable {
    let configuration: PGConfiguration
    let tools: PostgresTools
    let loop: EventLoop
    let blocking: BlockingExecutor
    let log: Log

    /// - Parameters:
    ///   - counts: rows per table that must come out; nil to check the logs only.
    ///   - connection: makes and drops the scratch database.
    /// - Throws: ``BackupError`` `.unequal` when what came out is not what was put in, `.toolFailed`, `.damaged`.
    func run(
        _ file: DumpFile, expecting counts: [String: Int64]?, on connection: PGConnection
    ) async throws -> LogVerifier.Report {
        let scratch = try await ScratchDatabase.create(on: connection, random: Hex.encode(try RandomBytes.make(6)))
        do {
            let report = try await restore(file, counts, into: scratch)
            try await scratch.drop(on: connection)
            return report
        } catch {
            do { try await Uncancelled.run(on: loop) { try await scratch.drop(on: connection) } } catch {
                log.warning("scratch database not dropped", .file(scratch.name), .error(error))
            }
            throw error
        }
    }

    private func restore(
        _ file: DumpFile, _ counts: [String: Int64]?, into scratch: ScratchDatabase
    ) async throws -> LogVerifier.Report {
        let target = tools.using(database: scratch.name)
        try await StopFlag.run(on: blocking) { stop in
            let script = try RestoreScript(path: file.path, stop: stop)
            try target.run(stop: stop) { try script.next() }
        }
        let pool = PGPool(
            configuration: BackupSession.patient(try configuration.connecting(toDatabase: scratch.name)), loop: loop,
            log: log)
        await pool.start()
        do {
            let report = try await inspect(pool, counts)
            await pool.close()
            return report
        } catch {
            await pool.close()
            throw error
        }
    }

    private func inspect(_ pool: PGPool, _ expected: [String: Int64]?) async throws -> LogVerifier.Report {
        if let expected {
            let counts = try await pool.withTransaction(.readOnlySnapshot) { try await TableCounts.rows(in: $0) }
            if let difference = Self.difference(expected, counts) { throw BackupError(.unequal, difference) }
        }
        let report = try await LogVerifier(pool: pool).verifyAll()
        guard report.isSound else {
            throw BackupError(
                .unequal,
                "\(report.problemCount) problems in what was restored, first: \(report.problems.first?.description ?? "")"
            )
        }
        return report
    }

    /// The first table whose rows differ.
    static func difference(_ expected: [String: Int64], _ found: [String: Int64]) -> String? {
        let tables = Set(expected.keys).union(found.keys).sorted()
        guard let table = tables.first(where: { expected[$0] != found[$0] }) else { return nil }
        func words(_ count: Int64?) -> String { count.map { "\($0) rows" } ?? "no such table" }
        return "\(table): dumped \(words(expected[table])), restored \(words(found[table]))"
    }
}

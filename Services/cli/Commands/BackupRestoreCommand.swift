import BackupCore
import Contracts
import PostgresClient

/// `aragora backup restore`.
struct BackupRestoreCommand: Command {
    static let shape = CommandShape(
        path: ["backup", "restore"], summary: "Restores a backup into a database, all of it or nothing.",
        details: """
            Checks the file first. Stop the services before: a database that others use is refused. One that holds tables is
            refused too, unless --force says that they may go. Afterwards every chain is walked, and the log has a new
            generation, so that no cache of the life before can answer for it.
            """,
        options: [
            .flag("--force", "Replaces everything that the database holds."),
            .value("--database", "NAME", "Another database of the same server, which must exist."),
            .value("--folder", "FOLDER", "Where it is; default ARAGORA_BACKUP_DIR."), .flag("--json", "For programs."),
        ], positionals: [.init(name: "BACKUP", help: "A name, a path, or latest; default latest.", isRequired: false)],
        examples: ["aragora backup restore latest --database drill"])

    private let backup: String
    private let folder: String?
    private let database: String?
    private let isForced: Bool
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        backup = arguments.positionals.first ?? BackupFolder.latest
        folder = arguments.value("--folder")
        database = arguments.value("--database")
        isForced = arguments.has("--force")
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let path = try BackupPath.resolve(backup, folder: folder, context.settings)
        var target = try context.settings.postgres()
        if let database { target = try target.connecting(toDatabase: database) }
        let restorer = try BackupRestorer(
            configuration: target, loop: context.loop, blocking: context.blocking, log: context.log)
        context.console.progress("restoring …")
        let outcome = try await restorer.restore(path, replacing: isForced)
        context.console.endProgress()
        if isJSON { printJSON(outcome, path, context.console) } else { printText(outcome, path, context.console) }
        return .ok
    }

    private func printText(_ outcome: BackupRestorer.Outcome, _ path: String, _ console: Console) {
        let report = VerificationReport(console: console)
        console.print(report.good("restored \(outcome.manifest?.file ?? path)"))
        console.print(report.good("\(outcome.debates) debates, \(outcome.events) events: every chain is whole"))
        console.print(report.good("the log's generation is now \(outcome.generation)"))
        guard !outcome.pendingMigrations.isEmpty else { return }
        console.print(
            report.note(
                "the backup is of an older schema; run aragora db migrate (\(outcome.pendingMigrations.joined(separator: ", ")))"
            ))
    }

    private func printJSON(_ outcome: BackupRestorer.Outcome, _ path: String, _ console: Console) {
        let report = CommandReports.restored(
            file: outcome.manifest?.file ?? path, debates: outcome.debates, events: outcome.events,
            generation: outcome.generation, pendingMigrations: outcome.pendingMigrations)
        console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
    }
}

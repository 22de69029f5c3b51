import BackupCore
import Contracts

/// `aragora backup create`.
struct BackupCreateCommand: Command {
    static let shape = CommandShape(
        path: ["backup", "create"], summary: "Makes a backup, and proves it by restoring it once.",
        details: """
            Dumps the database, reads the file to its end, restores it into a scratch database (the role needs CREATEDB), walks
            every chain there and compares the row counts; only then the file gets its name. Old ones go by the retention.
            Reads ARAGORA_BACKUP_DIR, BACKUP_RETENTION_DAYS and the database's DSN.
            """,
        options: [
            .value("--output", "FOLDER", "Where to; default ARAGORA_BACKUP_DIR."),
            .flag("--json", "Prints the manifest."),
        ])

    private let output: String?
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        output = arguments.value("--output")
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let folder = try output.map { BackupFolder(path: $0) } ?? context.settings.backupFolder()
        let runner = try BackupRunner(
            folder: folder, retention: try context.settings.retention(), configuration: try context.settings.postgres(),
            loop: context.loop, blocking: context.blocking, log: context.log)
        context.console.progress("dumping, and restoring once …")
        let entry = try await runner.run()
        context.console.endProgress()
        let manifest = entry.manifest
        guard !isJSON else {
            context.console.print(String(decoding: manifest.encode().dropLast(), as: UTF8.self))
            return .ok
        }
        let report = VerificationReport(console: context.console)
        context.console.print(report.good("\(folder.file(entry.name.file)), \(manifest.sizeBytes) bytes"))
        context.console.print(
            report.good(
                "restored once: \(manifest.debates) debates, \(manifest.events) events, every chain and row count as dumped"
            ))
        return .ok
    }
}

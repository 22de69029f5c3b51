import BackupCore
import Contracts

/// `aragora backup verify`.
struct BackupVerifyCommand: Command {
    static let shape = CommandShape(
        path: ["backup", "verify"], summary: "Checks a backup: the file, and by restoring it into a scratch database.",
        details: "With --file-only no database is needed: the file is read to its end and compared with its manifest.",
        options: [
            .flag("--file-only", "Does not restore."),
            .value("--folder", "FOLDER", "Where it is; default ARAGORA_BACKUP_DIR."),
        ], positionals: [.init(name: "BACKUP", help: "A name, a path, or latest; default latest.", isRequired: false)])

    private let backup: String
    private let folder: String?
    private let isFileOnly: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        backup = arguments.positionals.first ?? BackupFolder.latest
        folder = arguments.value("--folder")
        isFileOnly = arguments.has("--file-only")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let path = try BackupPath.resolve(backup, folder: folder, context.settings)
        let report = VerificationReport(console: context.console)
        let manifest = try await BackupRestorer.check(path, blocking: context.blocking)
        context.console.print(
            report.good(
                manifest.map { "\($0.file) is whole, and the file its manifest describes" }
                    ?? "\(path) is a whole dump; it has no manifest"))
        guard !isFileOnly else { return .ok }
        let restorer = try BackupRestorer(
            configuration: try context.settings.postgres(), loop: context.loop, blocking: context.blocking,
            log: context.log)
        context.console.progress("restoring it once …")
        let proof = try await restorer.prove(path)
        context.console.endProgress()
        context.console.print(
            report.good("restored once: \(proof.debates) debates, \(proof.events) events, every chain is whole"))
        return .ok
    }
}

/// Which file an operator means.
enum BackupPath {
    static func resolve(_ text: String, folder: String?, _ settings: CLISettings) throws -> String {
        guard !text.contains("/") else { return text }
        return try (folder.map { BackupFolder(path: $0) } ?? settings.backupFolder()).file(text)
    }
}

import BackupCore
import Contracts
import Platform

/// `aragora backup list`.
struct BackupListCommand: Command {
    static let shape = CommandShape(
        path: ["backup", "list"], summary: "Lists the verified backups, newest first.",
        options: [
            .value("--folder", "FOLDER", "Where they are; default ARAGORA_BACKUP_DIR."),
            .flag("--json", "For programs."),
        ])

    private let folder: String?
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        folder = arguments.value("--folder")
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let folder = try folder.map { BackupFolder(path: $0) } ?? context.settings.backupFolder()
        let entries = try await context.blocking.run { try folder.entries() }
        if isJSON {
            let report = CommandReports.backups(entries.map(\.manifest))
            context.console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
            return .ok
        }
        guard !entries.isEmpty else {
            context.console.print("no verified backup in \(folder.path)")
            return .ok
        }
        context.console.print(
            CommandShape.table(
                entries.map { entry in
                    let manifest = entry.manifest
                    return (
                        entry.name.file,
                        "\(manifest.sizeBytes) bytes, \(manifest.debates) debates, \(manifest.events) events, verified \(manifest.verifiedAt)"
                    )
                }))
        return .ok
    }
}

import Contracts
import Platform
import PostgresClient
import Storage

/// `aragora db migrate`.
struct DBMigrateCommand: Command {
    static let shape = CommandShape(
        path: ["db", "migrate"], summary: "Brings the database's schema forward.",
        details: """
            Reads ARAGORA_POSTGRES_DIRECT_DSN, ARAGORA_POSTGRES_DSN or DATABASE_URL. Safe to run twice, and from several
            places at once: one of them migrates, the others wait.
            Exit code with --check: 0 up to date, 1 something is pending.
            """,
        options: [
            .flag("--check", "Only says what is pending."), .flag("--upgrade", "Applies what is pending; the default."),
            .flag("--json", "For programs."),
        ])

    private let isCheck: Bool
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        guard !(arguments.has("--check") && arguments.has("--upgrade")) else {
            throw Arguments.UsageError("--check and --upgrade exclude each other")
        }
        isCheck = arguments.has("--check")
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let configuration = try context.settings.postgres()
        return isCheck ? try await check(configuration, context) : try await upgrade(configuration, context)
    }

    private func check(_ configuration: PGConfiguration, _ context: CommandContext) async throws -> ExitCode {
        let pending = try await Migrator.pending(
            StorageMigrations.all, configuration: configuration, loop: context.loop, log: context.log)
        report(pending: pending, applied: [], context.console)
        return pending.isEmpty ? .ok : .failed
    }

    private func upgrade(_ configuration: PGConfiguration, _ context: CommandContext) async throws -> ExitCode {
        let console = context.console
        let isJSON = isJSON
        let applied = try await Migrator.migrate(
            StorageMigrations.all, configuration: configuration, loop: context.loop, log: context.log
        ) { migration, duration in
            guard let duration, !isJSON else { return }
            console.print("migration \(migration.version) \(migration.name) applied in \(duration.milliseconds) ms")
        }
        report(pending: [], applied: applied, console)
        return .ok
    }

    private func report(pending: [Migrator.Migration], applied: [Migrator.Migration], _ console: Console) {
        func names(_ migrations: [Migrator.Migration]) -> [String] { migrations.map { "\($0.version) \($0.name)" } }
        if isJSON {
            let report = CommandReports.migrations(pending: names(pending), applied: names(applied))
            return console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
        }
        guard !pending.isEmpty else { return console.print("up to date") }
        console.print("\(pending.count) pending:")
        for name in names(pending) { console.print("  \(name)") }
    }
}

import BackupCore
import Contracts
import HTTPClient
import Platform
import PostgresClient
import ServiceKit
import Storage

/// `aragora doctor`: what works here, and what does not.
struct DoctorCommand: Command {
    static let shape = CommandShape(
        path: ["doctor"],
        summary: "Looks at this installation: settings, programs, stores, schema, backups, the running API.",
        details: "Exit code 1 when something is broken; what is only optional does not count.",
        options: [.flag("--json", "For programs.")])

    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) { isJSON = arguments.has("--json") }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let survey = context.settings.survey()
        let checks = EnvironmentChecks(survey: survey, context: context)
        let sections: [(String, [CommandReports.Check])] = [
            ("Environment", settings(survey) + [checks.apiToken(), checks.encryptionKey(), checks.receiptKey()]),
            ("Programs", await programs(survey, context)), ("API keys", [optional(checks.providers())]),
            ("Storage", await storage(survey, checks, context)), ("Server", [await server(context)]),
        ]
        let all = sections.flatMap(\.1)
        let isHealthy = !all.contains { $0.status == .failed }
        if isJSON {
            let report = CommandReports.doctor(sections, isHealthy: isHealthy)
            context.console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
        } else {
            printText(sections, context.console)
        }
        return isHealthy ? .ok : .failed
    }

    private func printText(_ sections: [(String, [CommandReports.Check])], _ console: Console) {
        for (title, checks) in sections {
            console.print(console.styled(title, .bold))
            for check in checks { console.print("  " + CheckLine.text(check, console)) }
        }
        let all = sections.flatMap(\.1)
        let counts = [
            "\(all.count { $0.status == .passed }) passed", "\(all.count { $0.status == .failed }) failed",
            "\(all.count { $0.status == .warning || $0.status == .skipped }) optional",
        ]
        console.print("\nSummary: \(counts.joined(separator: ", "))")
    }

    // MARK: Sections

    private func settings(_ survey: EnvironmentSurvey) -> [CommandReports.Check] {
        guard !survey.problems.isEmpty else {
            return [.init("settings", .passed, "settings are readable (\(survey.environment.rawValue))")]
        }
        return survey.problems.enumerated().map { .init("settings_\($0.offset + 1)", .failed, $0.element) }
    }

    private func programs(_ survey: EnvironmentSurvey, _ context: CommandContext) async -> [CommandReports.Check] {
        let tools = await attempt("pg_dump", optional: true) {
            let tools = try PostgresTools(survey.postgres ?? PGConfiguration(dsn: ""))
            try await context.blocking.run { try tools.check(serverVersion: 0) }
            return "pg_dump and psql are there, for backups"
        }
        return [.init("build", .passed, "aragora \(BuildInfo.productVersion)"), tools]
    }

    private func storage(
        _ survey: EnvironmentSurvey, _ checks: EnvironmentChecks, _ context: CommandContext
    ) async -> [CommandReports.Check] {
        var found = [await checks.postgres(), optional(await checks.redis())]
        if let configuration = survey.postgres, found[0].status == .passed {
            found.append(
                await attempt("schema", optional: false) {
                    let pending = try await Migrator.pending(
                        StorageMigrations.all, configuration: configuration, loop: context.loop, log: context.log)
                    guard pending.isEmpty else {
                        throw CommandFailure(.failed, "\(pending.count) migrations pending: aragora db migrate")
                    }
                    return "the schema is up to date"
                })
        }
        guard let folder = survey.backupFolder else {
            return found + [.init("backups", .skipped, "backups: no folder is set")]
        }
        found.append(
            await attempt("backups", optional: true) {
                let newest = try await context.blocking.run { try BackupFolder(path: folder).entries().first }
                return newest.map { "newest verified backup: \($0.name.file)" } ?? "no backup in \(folder) yet"
            })
        return found
    }

    private func server(_ context: CommandContext) async -> CommandReports.Check {
        await attempt("api", optional: true) {
            let base = try context.settings.baseURL()
            let http = HTTPClient(loop: context.loop)
            let outcome = await Self.status(http, base + "/readyz")
            await http.close()
            guard try outcome.get() == 200 else { throw CommandFailure(.failed, "\(base) answers, but is not ready") }
            return "\(base) is ready"
        }
    }

    private static func status(_ http: HTTPClient, _ url: String) async -> Result<Int, HTTPClientError> {
        let deadlines = Deadlines(connect: .seconds(2), firstByte: .seconds(5), idle: .seconds(5), total: .seconds(5))
        do throws(HTTPClientError) {
            return .success(try await http.send(HTTPClientRequest(url: url), deadlines: deadlines).status)
        } catch {
            return .failure(error)
        }
    }

    private func optional(_ check: CommandReports.Check) -> CommandReports.Check {
        check.status == .failed ? .init(check.name, .warning, check.message) : check
    }

    private func attempt(
        _ name: String, optional: Bool, _ body: () async throws -> String
    ) async -> CommandReports.Check {
        do { return .init(name, .passed, try await body()) } catch {
            return .init(name, optional ? .warning : .failed, "\(error)")
        }
    }
}

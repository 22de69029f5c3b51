import Contracts
import Platform
import PostgresClient
import RedisClient
import ServiceKit

/// `aragora validate-env`.
struct ValidateEnvCommand: Command {
    static let shape = CommandShape(
        path: ["validate-env"], summary: "Checks the environment before a start: settings, secrets, stores, providers.",
        details: "Exit code 0 when valid, 1 otherwise. Warnings count only with --strict.",
        options: [
            .flag("--strict", "Warnings fail too."), .flag("--json", "For programs."),
            .flag("--verbose", "Shows also what is not set, or was not checked."),
        ])

    private let isStrict: Bool
    private let isJSON: Bool
    private let isVerbose: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        isStrict = arguments.has("--strict")
        isJSON = arguments.has("--json")
        isVerbose = arguments.has("--verbose")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let survey = context.settings.survey()
        let checks = await Self.checks(survey, context)
        let isValid = !checks.contains(where: counts)
        if isJSON {
            let report = CommandReports.validation(
                environment: survey.environment.rawValue, checks: checks, isStrict: isStrict, isValid: isValid)
            context.console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
        } else {
            printText(checks, isValid, survey, context.console)
        }
        return isValid ? .ok : .failed
    }

    private func counts(_ check: CommandReports.Check) -> Bool {
        check.status == .failed || (isStrict && check.status == .warning)
    }

    /// Everything, in the order an operator reads it.
    private static func checks(
        _ survey: EnvironmentSurvey, _ context: CommandContext
    ) async -> [CommandReports.Check] {
        let settings = SettingsExamination(survey: survey)
        async let redis = redis(survey, context)
        async let postgres = postgres(survey, context)
        let secrets = [settings.encryptionKey(), settings.token(), settings.jwtSecret(), settings.receiptKey()]
        let rest = settings.distributedState() + settings.serving() + settings.passwords()
        let all =
            [settings.environment()] + settings.unusable() + secrets.flatMap { $0 } + rest + [await redis]
            + (await postgres) + [settings.providers()] + DocumentedSettings.notes(context.settings)
        return Doctor.named(Causes.only([("", all)])).flatMap(\.checks)
    }

    private static func redis(_ survey: EnvironmentSurvey, _ context: CommandContext) async -> CommandReports.Check {
        guard let configuration = survey.redis else {
            return .note("redis", "Redis: not configured; viewers are served from Postgres")
        }
        let examination = RedisExamination(configuration, context)
        let result = await answer(within: Doctor.partDeadline, on: context.loop) { await examination.connect() }
        await result?.connection?.close()
        return result?.checks.first ?? .fault(.redisUnreachable, "redis", "Redis: no answer in time")
    }

    /// Nothing when it is not configured: that is among the settings already.
    private static func postgres(
        _ survey: EnvironmentSurvey, _ context: CommandContext
    ) async -> [CommandReports.Check] {
        guard let configuration = survey.postgres else { return [] }
        let examination = PostgresExamination(configuration, context)
        let result = await answer(within: Doctor.partDeadline, on: context.loop) { await examination.connect() }
        await result?.connection?.close()
        return result?.checks ?? [.fault(.postgresUnreachable, "postgresql", "PostgreSQL: no answer in time")]
    }

    private func printText(
        _ checks: [CommandReports.Check], _ isValid: Bool, _ survey: EnvironmentSurvey, _ console: Console
    ) {
        for check in checks where check.status != .skipped || isVerbose {
            for line in CheckLine.lines(check, console) { console.print(line) }
        }
        let report = VerificationReport(console: console)
        guard isValid else {
            let count = checks.count(where: counts)
            return console.print(report.bad("\(count) requirement\(count == 1 ? "" : "s") not met"))
        }
        console.print(report.good("All \(survey.isProduction ? "production " : "")requirements met"))
    }
}

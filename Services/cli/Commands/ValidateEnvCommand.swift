import Contracts
import ServiceKit

/// `aragora validate-env`.
struct ValidateEnvCommand: Command {
    static let shape = CommandShape(
        path: ["validate-env"], summary: "Checks the environment before a start: settings, secrets, stores, providers.",
        details: "Exit code 0 when valid, 1 otherwise. Warnings count only with --strict.",
        options: [
            .flag("--strict", "Warnings fail too."), .flag("--json", "For programs."),
            .flag("--verbose", "Shows also what was not checked."),
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
        let checks = await EnvironmentChecks(survey: survey, context: context).all()
        let isValid = !checks.contains { $0.status == .failed || (isStrict && $0.status == .warning) }
        if isJSON {
            let report = CommandReports.validation(
                environment: survey.environment.rawValue, checks: checks, isStrict: isStrict, isValid: isValid)
            context.console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
        } else {
            printText(checks, isValid, survey, context.console)
        }
        return isValid ? .ok : .failed
    }

    private func printText(
        _ checks: [CommandReports.Check], _ isValid: Bool, _ survey: EnvironmentSurvey, _ console: Console
    ) {
        for check in checks where check.status != .skipped || isVerbose {
            console.print(CheckLine.text(check, console))
        }
        let kind = survey.environment == .production ? "production " : ""
        guard isValid else {
            let count = checks.count { $0.status == .failed || (isStrict && $0.status == .warning) }
            return console.print(
                VerificationReport(console: console).bad("\(count) requirement\(count == 1 ? "" : "s") not met"))
        }
        console.print(VerificationReport(console: console).good("All \(kind)requirements met"))
    }
}

/// One check as a line with its mark.
enum CheckLine {
    static func text(_ check: CommandReports.Check, _ console: Console) -> String {
        let report = VerificationReport(console: console)
        let message = TerminalText.safeLine(check.message)
        return switch check.status {
        case .passed: report.good(message)
        case .failed: report.bad(message)
        case .warning: "\(console.styled("!", .yellow)) \(message)"
        case .skipped: report.note(message)
        }
    }
}

import Contracts
import Platform
import PostgresClient
import Storage

/// `aragora ratings rebuild`.
struct RatingsRebuildCommand: Command {
    static let shape = CommandShape(
        path: ["ratings", "rebuild"], summary: "Computes every rating again from the logs, and mends what differs.",
        details: """
            Matches keep their numbers and the K of their day; debates that completed before there were ratings get the next
            numbers, with ARAGORA_ELO_INITIAL and ARAGORA_ELO_K_FACTOR as they are set here. Safe beside running debates.
            Exit code with --check: 0 equal, 1 something differs.
            """, options: [.flag("--check", "Only compares."), .flag("--json", "For programs.")])

    private let isCheck: Bool
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        isCheck = arguments.has("--check")
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let rules = try context.settings.ratingRules()
        let report = try await Database.with(context) { pool in
            let rebuild = RatingRebuild(pool: pool, rules: rules)
            return isCheck ? try await rebuild.check() : try await rebuild.rebuild()
        }
        if isJSON { printJSON(report, context.console) } else { printText(report, context.console) }
        return report.isSound || !isCheck ? .ok : .failed
    }

    private func printText(_ report: RatingRebuild.Report, _ console: Console) {
        let verdict = VerificationReport(console: console)
        let counts = "\(report.matches) matches, \(report.agents) agents"
        for problem in report.problems {
            let line = TerminalText.safeLine(problem)
            console.print(isCheck ? verdict.bad(line) : verdict.note("mended: \(line)"))
        }
        if report.isSound {
            console.print(verdict.good("\(counts): equal to what the logs say"))
        } else {
            let number = "\(report.problemCount) difference\(report.problemCount == 1 ? "" : "s")"
            console.print(isCheck ? "\(number) in \(counts)" : verdict.good("\(number) mended in \(counts)"))
        }
        if report.added > 0 { console.print(verdict.note("\(report.added) debates had no match and got one")) }
        if report.erased > 0 {
            console.print(
                verdict.note("\(report.erased) debates are erased: what their matches kept was taken for true"))
        }
    }

    private func printJSON(_ report: RatingRebuild.Report, _ console: Console) {
        let json = CommandReports.ratings(
            matches: report.matches, agents: report.agents, erased: report.erased, added: report.added,
            problemCount: report.problemCount, problems: report.problems, isMended: !isCheck)
        console.print(String(decoding: CanonicalJSON.encode(json), as: UTF8.self))
    }
}

import BackupCore
import Contracts
import Domain
import Platform
import PostgresClient

/// `aragora db verify`.
struct DBVerifyCommand: Command {
    /// Progress is shown every so many debates.
    static let progressStep = 20

    static let shape = CommandShape(
        path: ["db", "verify"], summary: "Walks every debate's event chain and receipt, and says what is wrong.",
        details: """
            Recomputes every hash, checks every receipt (with ARAGORA_RECEIPT_SIGNING_KEY its signature too), and compares the
            tables. Safe beside running debates. Exit code 1 when something is wrong; the first bad event of each log is named.
            """, options: [.flag("--json", "For programs.")])

    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) { isJSON = arguments.has("--json") }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let keys = try context.settings.receiptKeys()
        let console = context.console
        let report = try await Database.with(context) { pool in
            try await LogVerifier(pool: pool, keys: keys).verifyAll { report in
                guard report.debates.isMultiple(of: Self.progressStep) else { return }
                console.progress("\(report.debates) debates, \(report.events) events …")
            }
        }
        console.endProgress()
        if isJSON { printJSON(report, console) } else { printText(report, console, hasKeys: keys != nil) }
        return report.isSound ? .ok : .failed
    }

    private func printText(_ report: LogVerifier.Report, _ console: Console, hasKeys: Bool) {
        let verdict = VerificationReport(console: console)
        let counts = "\(report.debates) debates, \(report.events) events, \(report.receipts) receipts"
        for problem in report.problems { console.print(verdict.bad(TerminalText.safeLine(problem.description))) }
        guard report.isSound else {
            return console.print("\(report.problemCount) problem\(report.problemCount == 1 ? "" : "s") in \(counts)")
        }
        console.print(verdict.good("\(counts): every chain is whole, every receipt matches its log"))
        if report.erasedEvents > 0 {
            console.print(
                verdict.note(
                    "\(report.erasedEvents) events are erased: their content is gone, their place in the chain is proven"
                ))
        }
        if report.removedLogs > 0 {
            console.print(
                verdict.note(
                    "the events of \(report.removedLogs) debates were removed: their retention has passed"))
        }
        if !hasKeys && report.receipts > 0 {
            console.print(verdict.note("signatures were not checked: no signing key is set"))
        }
    }

    private func printJSON(_ report: LogVerifier.Report, _ console: Console) {
        let problems = report.problems.map { (debate: $0.debate?.text, seq: $0.seq, reason: $0.reason) }
        let json = CommandReports.walk(
            debates: report.debates, events: report.events, erasedEvents: report.erasedEvents,
            receipts: report.receipts,
            problemCount: report.problemCount, problems: problems)
        console.print(String(decoding: CanonicalJSON.encode(json), as: UTF8.self))
    }
}

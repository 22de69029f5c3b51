import Contracts
import Domain
import Platform
import Storage

/// `aragora privacy export`.
struct PrivacyExportCommand: Command {
    static let shape = CommandShape(
        path: ["privacy", "export"],
        summary: "Writes everything that is held about a user or an organization to a file.",
        details: """
            One JSON object a line: the debates they created, each with its events, commands, calls and receipt, then what they
            said in debates of others; the last line has the kind "end". Safe beside running debates. The file is readable by
            its owner only.
            """,
        options: [
            .value("--user", "NAME", "A principal, as created_by names it."),
            .value("--org", "ORG", "An organization, instead."),
            .value("--output", "FILE", "Where to write; it must not exist. Required."),
        ], examples: ["aragora privacy export --user service --output export.jsonl"])

    private let subject: DataSubject
    private let output: String

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        switch (arguments.value("--user"), arguments.value("--org")) {
        case (let user?, nil): subject = .user(user)
        case (nil, let organization?): subject = .organization(organization)
        default: throw Arguments.UsageError("either --user or --org is needed")
        }
        guard let path = arguments.value("--output"), !path.isEmpty else {
            throw Arguments.UsageError("--output is missing")
        }
        output = path
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let console = context.console
        let counts = try await Database.with(context) { pool in
            let file = try ExportFile(path: output)
            try file.append(line: CanonicalJSON.encode(heading))
            var export = PersonalDataExport(pool: pool) { try file.append(line: CanonicalJSON.encode($0)) }
            try await export.run(subject) { console.progress("\($0.debates) debates, \($0.events) events …") }
            try file.finish()
            return export.counts
        }
        console.endProgress()
        let report = VerificationReport(console: console)
        console.print(
            report.good(
                "\(TerminalText.safeLine(output)): \(counts.debates) debates, \(counts.events) events, "
                    + "\(counts.receipts) receipts, \(counts.calls) calls, \(counts.remarks) remarks elsewhere"))
        return .ok
    }

    private var heading: JSONValue {
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        switch subject {
        case .user(let name): return PrivacyReports.exportStart(of: "user", name, at: now)
        case .organization(let name): return PrivacyReports.exportStart(of: "organization", name, at: now)
        case .debate(let id): return PrivacyReports.exportStart(of: "debate", id.text, at: now)
        }
    }
}

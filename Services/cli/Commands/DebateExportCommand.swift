import Contracts
import Domain
import Ledger

/// `aragora debate export`.
struct DebateExportCommand: Command {
    static let shape = CommandShape(
        path: ["debate", "export"], summary: "Writes a debate to a file: for replay elsewhere, or to be read.",
        details: """
            A recording has the log, every outcome of a call, what people asked for, and the receipt: aragora debate replay
            rebuilds the debate from it, on any machine. The file is readable by its owner only. Without --output it goes to
            standard output.
            """,
        options: [
            .value("--format", "FORMAT", "recording (the standard), or md: a transcript in Markdown."),
            .value("--output", "FILE", "Where to write; it must not exist."),
        ],
        positionals: [.init(name: "DEBATE", help: "Its id, dbt_…, or a file with a recording.")],
        examples: [
            "aragora debate export dbt_01h0… --output debate.jsonl",
            "aragora debate export debate.jsonl --format md",
        ])

    private enum Format: String { case recording, md }

    private let debate: RecordedDebate
    private let format: Format
    private let output: String?

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        debate = try RecordedDebate(arguments.positionals[0])
        let word = arguments.value("--format") ?? Format.recording.rawValue
        guard let format = Format(rawValue: word) else {
            throw Arguments.UsageError("--format takes recording or md, not \"\(word)\"")
        }
        self.format = format
        output = arguments.value("--output")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let recording =
            switch debate {
            case .file(let path): try await RecordedDebate.read(path, context)
            case .stored(let id): try await Database.with(context) { try await RecordedDebate.read(id, $0) }
            }
        let bytes =
            switch format {
            case .recording: recording.file
            case .md: Array(MarkdownTranscript.text(of: recording.debate, events: recording.events).utf8)
            }
        let text = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
        guard let output else {
            context.console.print(String(decoding: text, as: UTF8.self))
            return .ok
        }
        let file = try ExportFile(path: output)
        try file.append(line: Array(text))
        try file.finish()
        let report = VerificationReport(console: context.console)
        context.console.print(
            report.good(
                "\(TerminalText.safeLine(output)): \(recording.events.count) events of \(recording.debate.text)"))
        return .ok
    }
}

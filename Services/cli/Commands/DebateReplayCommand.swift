import Contracts
import Domain
import Ledger

/// `aragora debate replay`.
struct DebateReplayCommand: Command {
    static let shape = CommandShape(
        path: ["debate", "replay"],
        summary: "Shows a debate from its log, and rebuilds it from its recorded outcomes, byte for byte.",
        details: """
            The engine of the debate's time runs once more, with the recorded outcomes instead of models, and every event is
            compared with the log. No model is asked and no service need run: a debate is read from Postgres, or from a file of
            aragora debate export. Exit code 1: something differs, or its chain or its receipt does not verify; the first
            difference is shown. Exit code 66: it can not be rebuilt, because an outcome is missing or was erased.
            """,
        options: [
            .flag("--check", "Shows what was found, and not the debate."),
            .flag("--json", "Prints each event as a line of JSON, and nothing else."),
        ],
        positionals: [.init(name: "DEBATE", help: "Its id, dbt_…, or a file; - for standard input.")],
        examples: ["aragora debate replay --check debate.jsonl"])

    private let debate: RecordedDebate
    private let isJSON: Bool
    private let isSilent: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        debate = try RecordedDebate(arguments.positionals[0])
        isJSON = arguments.has("--json")
        isSilent = arguments.has("--check")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        switch debate {
        case .file(let path):
            return try replay(try await RecordedDebate.read(path, context), branch: nil, context)
        case .stored(let id):
            return try await Database.with(context) { pool in
                let recording = try await RecordedDebate.read(id, pool)
                var found: BranchCheck.Finding?
                if let first = recording.events.first, case .debateStart(let start)? = try? EventCodec.decode(first),
                    let branch = start.branch
                {
                    found = try await BranchCheck.of(branch, in: pool)
                }
                return try replay(recording, branch: found, context)
            }
        }
    }

    private func replay(
        _ recording: DebateRecording, branch: BranchCheck.Finding?, _ context: CommandContext
    ) throws -> ExitCode {
        show(recording, context.console)
        var summary = Summary(report: VerificationReport(console: context.console))
        summary.chain(of: recording)
        summary.replay(of: recording)
        if let branch { summary.note(branch) }
        try summary.receipt(of: recording, ReceiptVerifier(keys: try context.settings.receiptKeys()))
        if !isJSON { for line in summary.lines { context.console.print(line) } }
        return summary.code
    }

    private func show(_ recording: DebateRecording, _ console: Console) {
        guard !isSilent else { return }
        var screen = DebateScreen(console: console)
        for event in recording.events {
            if isJSON {
                console.print(String(decoding: EventEnvelope.encode(event, debateID: recording.debate), as: UTF8.self))
            } else {
                for line in screen.lines(for: event) { console.print(line) }
            }
        }
        if !isJSON { console.print("") }
    }
}

/// What was found, and the exit code of the worst of it.
private struct Summary {
    let report: VerificationReport
    private(set) var lines: [String] = []
    private(set) var code = ExitCode.ok

    init(report: VerificationReport) { self.report = report }

    private mutating func fail(_ line: String, _ code: ExitCode = .failed) {
        lines.append(line)
        if self.code != .failed { self.code = code }
    }

    mutating func chain(of recording: DebateRecording) {
        var verifier = ChainVerifier(debateID: recording.debate)
        do throws(ChainFault) { for event in recording.events { try verifier.feed(event) } } catch {
            return fail(report.bad("chain: the log does not verify: \(error)"))
        }
        lines.append(report.chain(events: recording.events.count))
    }

    mutating func replay(of recording: DebateRecording) {
        do throws(ReplayFault) {
            lines += report.rebuilt(try ReplayedDebate(recording))
        } catch {
            fail(report.notRebuilt(error), error.isIncomplete ? .incomplete : .failed)
        }
    }

    mutating func note(_ branch: BranchCheck.Finding) {
        switch branch {
        case .shared: lines.append(report.good("branch: the shared part of its parent's log is the one it names"))
        case .missing: lines.append(report.note("branch: its parent is not here"))
        case .broken(let why): fail(report.bad("branch: its parent's log is not the one it names: \(why)"))
        }
    }

    mutating func receipt(of recording: DebateRecording, _ verifier: ReceiptVerifier) throws {
        guard let receipt = recording.receipt else {
            return lines.append(report.note("no receipt: the debate has not ended, or ended without one"))
        }
        let found = try verifier.verify(receipt, events: recording.events)
        lines += report.receipt(found)
        if !found.isGood { code = .failed }
    }
}

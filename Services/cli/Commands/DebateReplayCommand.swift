import Contracts
import Domain
import Ledger
import Storage

/// `aragora debate replay`.
struct DebateReplayCommand: Command {
    static let shape = CommandShape(
        path: ["debate", "replay"], summary: "Shows a debate from its log in Postgres, and verifies it.",
        details: "Needs no running service. Exit code 1 when its chain or its receipt does not verify.",
        options: [.flag("--json", "Prints each event as a line of JSON instead.")],
        positionals: [.init(name: "ID", help: "The debate, dbt_…")])

    private let debate: DebateID
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        guard let id = DebateID(arguments.positionals[0]) else {
            throw Arguments.UsageError(
                "\"\(arguments.positionals[0])\" is not the id of a debate (dbt_ and 26 characters)")
        }
        debate = id
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let keys = try context.settings.receiptKeys()
        return try await Database.with(context) { pool in
            let events = try await show(LogWalk(pool: pool), context.console)
            guard !events.isEmpty else { throw CommandFailure(.failed, "there is no debate \(debate.text)") }
            let receipt = try await ReceiptReader(pool: pool).receipt(of: debate)
            let console = context.console
            let report = VerificationReport(console: console)
            if !isJSON { console.print("\n\(report.chain(events: events.count))") }
            guard let receipt else {
                if !isJSON { console.print(report.note("no receipt: the debate has not ended, or ended without one")) }
                return .ok
            }
            let found = try ReceiptVerifier(keys: keys).verify(receipt.document, events: events)
            if !isJSON { for line in report.receipt(found) { console.print(line) } }
            return found.isGood ? .ok : .failed
        }
    }

    /// Shows as far as the chain is whole.
    private func show(_ walk: LogWalk, _ console: Console) async throws -> [SealedEvent] {
        var screen = DebateScreen(console: console)
        var verifier = ChainVerifier(debateID: debate)
        var events: [SealedEvent] = []
        while true {
            let page = try await walk.events(of: debate, from: Int64(events.count) + 1)
            guard !page.isEmpty else { return events }
            for event in page {
                do throws(ChainFault) { try verifier.feed(event) } catch {
                    throw CommandFailure(.failed, "the log does not verify: \(error)")
                }
                events.append(event)
                if isJSON {
                    console.print(String(decoding: EventEnvelope.encode(event, debateID: debate), as: UTF8.self))
                } else {
                    for line in screen.lines(for: event) { console.print(line) }
                }
            }
        }
    }
}

import Contracts

/// `aragora queue requeue`.
struct QueueRequeueCommand: Command {
    /// Requests of one `--all`: each asks for all that one answer lists.
    static let maxRequests = 50

    static let shape = CommandShape(
        path: ["queue", "requeue"], summary: "Asks for debates that were given up again.",
        details: """
            One that has failed is debated anew, as another debate; one that is not over is announced again. Needs an
            administrator's token. Exit code 1 when one was skipped.
            """,
        options: [.flag("--all", "Every debate that was given up."), .flag("--json", "For programs.")],
        positionals: [.init(name: "DEBATE", help: "Its id, dbt_…", isRequired: false)],
        examples: ["aragora queue requeue dbt_01kdyqrq00000000000000000a", "aragora queue requeue --all"])

    private let debate: String?
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        debate = try arguments.oneOrAll("DEBATE")
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let outcome = try await context.withAPI { try await ask($0) }
        if isJSON {
            context.console.print(String(decoding: CanonicalJSON.encode(outcome.json), as: UTF8.self))
        } else {
            let verdict = VerificationReport(console: context.console)
            for done in outcome.requeued {
                let line =
                    done.job == done.debate
                    ? "\(done.job) is announced again" : "\(done.job) is debated as \(done.debate)"
                context.console.print(verdict.good(TerminalText.safeLine(line)))
            }
            for skipped in outcome.skipped {
                context.console.print(verdict.bad(TerminalText.safeLine("\(skipped.job) \(skipped.reason)")))
            }
            if outcome == ClientForms.Requeued() { context.console.print("No debate was given up.") }
        }
        return outcome.skipped.isEmpty ? .ok : .failed
    }

    private func ask(_ api: APIClient) async throws -> ClientForms.Requeued {
        if let debate { return try ClientForms.Requeued(try await api.requeue([debate])) }
        var all = ClientForms.Requeued()
        for _ in 0..<Self.maxRequests {
            let some = try ClientForms.Requeued(try await api.requeue(nil))
            all.requeued += some.requeued
            all.skipped = some.skipped
            // What is left can not be asked for.
            guard !some.requeued.isEmpty else { break }
        }
        return all
    }
}

import Contracts

/// `aragora webhooks retry`.
struct WebhooksRetryCommand: Command {
    static let shape = CommandShape(
        path: ["webhooks", "retry"], summary: "Sends messages that were given up again.",
        details: """
            Each keeps its id, by which receivers know a repetition, and gets as many attempts as a new one. With --all those
            that are there when the command starts. Exit code 1 when a message that is named was not given up.
            """,
        options: [.flag("--all", "Every message that was given up."), .flag("--json", "For programs.")],
        positionals: [.init(name: "MESSAGE", help: "Its id, msg_…", isRequired: false)],
        examples: ["aragora webhooks retry msg_0f1e2d3c4b5a69788796a5b4c3d2e1f0", "aragora webhooks retry --all"])

    private let message: String?
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        message = try arguments.oneOrAll("MESSAGE")
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        var (sent, gone): ([String], [String]) = ([], [])
        try await context.withAPI { api in
            for id in try await chosen(api) {
                if try await api.retry(id) { sent.append(id) } else { gone.append(id) }
            }
        }
        if isJSON {
            let report = ClientForms.retried(sent, gone: gone)
            context.console.print(String(decoding: CanonicalJSON.encode(report), as: UTF8.self))
        } else {
            let verdict = VerificationReport(console: context.console)
            for id in sent { context.console.print(verdict.good("\(TerminalText.safeLine(id)) is sent again")) }
            for id in gone {
                let line = "\(TerminalText.safeLine(id)) is no message that was given up"
                context.console.print(message == nil ? verdict.note(line) : verdict.bad(line))
            }
            if sent.isEmpty && gone.isEmpty { context.console.print("Nothing was given up.") }
        }
        // With --all, somebody else was quicker.
        return message != nil && !gone.isEmpty ? .failed : .ok
    }

    /// All of them before the first is sent: the list gets shorter by each, and longer by what is given up anew.
    private func chosen(_ api: APIClient) async throws -> [String] {
        if let message { return [message] }
        var ids: [String] = []
        while true {
            let bytes = try await api.deadLetters(limit: WebhooksDeadCommand.limitRange.upperBound, offset: ids.count)
            let (letters, total) = try ClientForms.deadLetters(bytes)
            ids += letters.map(\.id)
            guard !letters.isEmpty, Int64(ids.count) < total else {
                return ids.reduce(into: []) { known, id in
                    if known.last != id { known.append(id) }
                }
            }
        }
    }
}

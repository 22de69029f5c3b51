import Contracts

/// `aragora queue dead`.
struct QueueDeadCommand: Command {
    static let limitRange = 1...200
    static let standardLimit = 50

    static let shape = CommandShape(
        path: ["queue", "dead"], summary: "Shows the debates that were given up after too many attempts.",
        details: "The newest first; `aragora queue requeue` asks for them again. Needs an administrator's token.",
        options: [
            .value("--limit", "COUNT", "At most so many: 1 to 200; default 50."),
            .flag("--json", "Prints the API's answer."),
        ], examples: ["aragora queue dead"])

    private let limit: Int
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        limit = try arguments.int("--limit", in: Self.limitRange) ?? Self.standardLimit
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let bytes = try await context.withAPI { try await $0.deadJobs(limit: limit) }
        guard !isJSON else {
            context.console.print(String(decoding: bytes, as: UTF8.self))
            return .ok
        }
        let jobs = try ClientForms.deadJobs(bytes)
        if jobs.isEmpty { context.console.print("No debate was given up.") }
        for job in jobs { context.console.print(TerminalText.safeLine(job.text)) }
        return .ok
    }
}

import Contracts

/// `aragora webhooks dead`.
struct WebhooksDeadCommand: Command {
    static let limitRange = 1...100
    static let standardLimit = 20

    static let shape = CommandShape(
        path: ["webhooks", "dead"],
        summary: "Shows the messages of the token's organization that were given up: webhooks, callbacks, chats.",
        details: """
            The newest first. A message is given up after its last attempt, and kept for 30 days; `aragora webhooks retry`
            sends it again.
            """,
        options: [
            .value("--limit", "COUNT", "At most so many: 1 to 100; default 20."),
            .flag("--json", "Prints the API's answer."),
        ], examples: ["aragora webhooks dead", "aragora webhooks dead --limit 100 --json"])

    private let limit: Int
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        limit = try arguments.int("--limit", in: Self.limitRange) ?? Self.standardLimit
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let bytes = try await context.withAPI { try await $0.deadLetters(limit: limit) }
        guard !isJSON else {
            context.console.print(String(decoding: bytes, as: UTF8.self))
            return .ok
        }
        let (letters, total) = try ClientForms.deadLetters(bytes)
        if letters.isEmpty { context.console.print("Nothing was given up.") }
        for letter in letters { context.console.print(TerminalText.safeLine(letter.text)) }
        if total > Int64(letters.count) { context.console.note("\(total) in all") }
        return .ok
    }
}

import Domain

/// `aragora ask`: the decision only.
struct AskCommand: Command {
    static let shape = CommandShape(
        path: ["ask"], summary: "Asks a running stack a question and shows the decision.",
        details: """
            Like `aragora demo`, without the turns. Exit code 0: it completed, and its receipt verified.
            """,
        options: [
            .value("--rounds", "N", "Rounds, 1 to 12; default 3."),
            .value("--agents", "A,B,C", "Who debates; default: the server's choice."),
            .flag("--dry-run", "Asks nobody, and shows how many calls it would take and what they would cost."),
            .flag("--verbose", "Shows every turn."), .flag("--json", "Prints the receipt as JSON instead."),
        ], positionals: [.init(name: "QUESTION", help: "What to decide.")],
        examples: [
            "aragora ask \"Should we write our own job queue?\"",
            "aragora ask --dry-run --rounds 5 \"Should we write our own job queue?\"",
        ])

    private let question: String
    private let rounds: Int?
    private let agents: [String]
    private let form: DebateClient.Form
    private let isDryRun: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        question = arguments.positionals[0]
        rounds = try arguments.int("--rounds", in: DebateSpec.roundsRange)
        agents = DemoCommand.list(arguments.value("--agents"))
        isDryRun = arguments.has("--dry-run")
        form = arguments.has("--json") ? .receiptJSON : arguments.has("--verbose") ? .whole : .brief
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let client = DebateClient(context: context, form: form)
        return isDryRun
            ? try await client.estimate(question: question, rounds: rounds, agents: agents)
            : try await client.run(question: question, rounds: rounds, agents: agents)
    }
}

import Domain

/// `aragora demo`: a whole debate, told as it happens.
struct DemoCommand: Command {
    static let defaultTopic = "Should a three-person startup use Postgres or MongoDB?"

    static let shape = CommandShape(
        path: ["demo"], summary: "Runs a debate on a running stack and shows every turn as it arrives.",
        details: """
            Creates a debate over HTTP, follows it over WebSocket, checks the event chain and the receipt itself.
            The panel is the server's: the configured providers, or built-in demonstration agents when there is none.
            Reads ARAGORA_BASE_URL, ARAGORA_WS_URL, ARAGORA_API_TOKEN and ARAGORA_RECEIPT_SIGNING_KEY; source .run/env.
            Exit code 0: it completed, and its receipt verified.
            """,
        options: [
            .value("--topic", "TEXT", "The question; default: \(defaultTopic)"),
            .value("--rounds", "N", "Rounds, 1 to 12; default 3."),
            .value("--agents", "A,B,C", "Who debates: providers or provider|model|persona|role; demo always works."),
            .flag("--json", "Prints each event as a line of JSON instead."),
        ], examples: ["aragora demo --topic \"Tabs or spaces?\" --rounds 2", "aragora demo --agents demo,demo,demo"])

    private let topic: String
    private let rounds: Int?
    private let agents: [String]
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        topic = arguments.value("--topic") ?? Self.defaultTopic
        rounds = try arguments.int("--rounds", in: DebateSpec.roundsRange)
        agents = Self.list(arguments.value("--agents"))
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        try await DebateClient(context: context, form: isJSON ? .eventLines : .whole)
            .run(question: topic, rounds: rounds, agents: agents)
    }

    static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }
}

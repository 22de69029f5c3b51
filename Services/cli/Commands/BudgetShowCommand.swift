import Contracts

/// `aragora budget show`.
struct BudgetShowCommand: Command {
    static let shape = CommandShape(
        path: ["budget", "show"], summary: "Shows how one budget stands.",
        options: [.flag("--json", "Prints the API's answer.")],
        positionals: [.init(name: "BUDGET", help: "Its id, bdg_…, or its name.")],
        examples: ["aragora budget show models"])

    private let name: String
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        name = arguments.positionals[0]
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let desk = BudgetDesk(context: context, isJSON: isJSON)
        try desk.show(
            try await desk.with { api in try await api.budgets("GET", "/" + (try await desk.found(name, api)).id) })
        return .ok
    }
}

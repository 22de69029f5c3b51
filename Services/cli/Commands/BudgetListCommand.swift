import Contracts

/// `aragora budget list`.
struct BudgetListCommand: Command {
    static let shape = CommandShape(
        path: ["budget", "list"], summary: "Shows the budgets of the token's organization.",
        options: [.flag("--json", "Prints the API's answer.")], examples: ["aragora budget list"])

    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) { isJSON = arguments.has("--json") }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let bytes = try await BudgetDesk(context: context, isJSON: isJSON).with {
            try await $0.budgets("GET", "?limit=100")
        }
        guard !isJSON else {
            context.console.print(String(decoding: bytes, as: UTF8.self))
            return .ok
        }
        let lines = try ClientForms.budgets(bytes)
        if lines.isEmpty { context.console.print("There is no budget: nothing limits what debates cost.") }
        for line in lines { context.console.print(TerminalText.safeLine(line.text)) }
        return .ok
    }
}

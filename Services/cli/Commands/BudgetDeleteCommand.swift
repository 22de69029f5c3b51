import Contracts

/// `aragora budget delete`.
struct BudgetDeleteCommand: Command {
    static let shape = CommandShape(
        path: ["budget", "delete"], summary: "Removes a budget: it limits nothing any more.",
        positionals: [.init(name: "BUDGET", help: "Its id, bdg_…, or its name.")],
        examples: ["aragora budget delete models"])

    private let name: String

    init(_ arguments: Arguments) throws(Arguments.UsageError) { name = arguments.positionals[0] }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let desk = BudgetDesk(context: context, isJSON: false)
        let line = try await desk.with { api in
            let line = try await desk.found(name, api)
            _ = try await api.budgets("DELETE", "/\(line.id)")
            return line
        }
        context.console.print(TerminalText.safeLine("\(line.name) is deleted"))
        return .ok
    }
}

import Contracts

/// What the budget commands share: one client, and answers as JSON or in a line each.
struct BudgetDesk {
    let context: CommandContext
    let isJSON: Bool

    func with<Value>(_ body: (APIClient) async throws -> Value) async throws -> Value {
        try await context.withAPI(body)
    }

    /// The budget of this id or, when there is one only, of this name.
    func find(_ name: String, _ api: APIClient) async throws -> ClientForms.BudgetLine? {
        let all = try ClientForms.budgets(try await api.budgets("GET", "?limit=100"))
        if let found = all.first(where: { $0.id == name }) { return found }
        let named = all.filter { $0.name == name }
        guard named.count < 2 else {
            throw CommandFailure(
                .failed,
                "\(named.count) budgets are called so; name one by its id: "
                    + named.map(\.id).joined(separator: ", "))
        }
        return named.first
    }

    func found(_ name: String, _ api: APIClient) async throws -> ClientForms.BudgetLine {
        guard let line = try await find(name, api) else {
            throw CommandFailure(.failed, "there is no budget \(TerminalText.safeLine(name))")
        }
        return line
    }

    func show(_ bytes: [UInt8]) throws {
        context.console.print(
            isJSON ? String(decoding: bytes, as: UTF8.self) : TerminalText.safeLine(try ClientForms.budget(bytes).text))
    }
}

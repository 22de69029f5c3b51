import Contracts
import Domain

/// `aragora budget set`.
struct BudgetSetCommand: Command {
    static let shape = CommandShape(
        path: ["budget", "set"], summary: "Makes a budget, or changes the one of that name.",
        details: """
            A budget that is there keeps its period, and what of it is not named.
            """,
        options: [
            .value("--period", "PERIOD", "daily, weekly, monthly (the standard), quarterly, yearly or total."),
            .value("--alert", "PERCENT", "Spent so much of it, an alert is kept: 1 to 100; default 80."),
            .flag("--json", "Prints the API's answer."),
        ],
        positionals: [
            .init(name: "BUDGET", help: "Its name, or the id of one that is there."),
            .init(name: "DOLLARS", help: "The limit of each period."),
        ], examples: ["aragora budget set models 25", "aragora budget set models 5 --period daily --alert 90"])

    private let name: String
    private let limit: Double
    private let period: BudgetPeriod?
    private let threshold: Int?
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(Arguments.UsageError) {
        name = arguments.positionals[0]
        let dollars = arguments.positionals[1]
        guard let limit = Double(dollars), limit.isFinite, limit > 0 else {
            throw Arguments.UsageError("DOLLARS is a number greater than 0, not \"\(dollars)\"")
        }
        self.limit = limit
        let word = arguments.value("--period")
        period = word.flatMap { BudgetPeriod(rawValue: $0) }
        guard word == nil || period != nil else {
            let known = BudgetPeriod.allCases.map(\.rawValue).joined(separator: ", ")
            throw Arguments.UsageError("--period takes one of \(known), not \"\(word ?? "")\"")
        }
        threshold = try arguments.int("--alert", in: 1...100)
        isJSON = arguments.has("--json")
    }

    func run(_ context: CommandContext) async throws -> ExitCode {
        let desk = BudgetDesk(context: context, isJSON: isJSON)
        try desk.show(try await desk.with { try await set(desk, $0) })
        return .ok
    }

    private func set(_ desk: BudgetDesk, _ api: APIClient) async throws -> [UInt8] {
        guard let present = try await desk.find(name, api) else {
            return try await api.budgets(
                "POST", body: ClientForms.budget(name: name, limit: limit, period: period, threshold: threshold))
        }
        if let period, period.rawValue != present.period {
            throw CommandFailure(
                .failed, "its period is \(present.period), and stays so: delete it first, or name another")
        }
        return try await api.budgets(
            "PATCH", "/\(present.id)",
            body: ClientForms.budget(name: nil, limit: limit, period: nil, threshold: threshold))
    }
}

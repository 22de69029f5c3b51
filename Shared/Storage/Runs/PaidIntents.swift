import Domain
import PostgresClient

/// Intents that cost something: reserved and written by `write_paid_intents`, all or none.
struct PaidIntents {
    let refusal: BudgetRefusal?
    let alerts: [BudgetAlert]

    init(_ rows: [Row]) throws(PGError) {
        var refusal: BudgetRefusal?
        var alerts: [BudgetAlert] = []
        for row in rows {
            if let name = try row.optionalText("refused_by") { refusal = try Self.refusal(name) }
            if let number = try row.optionalInt64("alert") { alerts.append(try Self.alert(number, row)) }
        }
        self.refusal = refusal
        self.alerts = alerts
    }

    static func select(_ intents: [(intent: CallIntent, attempt: Int)], _ debate: DebateID, epoch: Int64) -> SQL {
        "SELECT * FROM \(write(intents, debate, epoch: epoch, if: "true"))"
    }

    /// A call of the function, to stand behind FROM. Its statements have snapshots of their own, so what others committed
    /// while this one waited for the run is seen.
    static func write(
        _ intents: [(intent: CallIntent, attempt: Int)], _ debate: DebateID, epoch: Int64, if condition: SQL
    ) -> SQL {
        """
        write_paid_intents(
            \(condition), \(debate), \(epoch), \(intents.lazy.compactMap(\.intent.reservation?.debateLimit?.amount).first),
            \(intents.map(\.intent.key.text)), \(intents.map(\.attempt)), \(intents.map(\.intent.agent)),
            \(intents.map(\.intent.provider.rawValue)), \(intents.map(\.intent.model)), \(intents.map(\.intent.round)),
            \(intents.map { $0.intent.reservation?.amount.amount ?? 0 }))
        """
    }

    private static func refusal(_ name: String) throws(PGError) -> BudgetRefusal {
        guard let refusal = BudgetRefusal(name) else { throw PGError(.decoding, "refused_by is no budget id") }
        return refusal
    }

    private static func alert(_ number: Int64, _ row: Row) throws(PGError) -> BudgetAlert {
        guard let budget = BudgetID(try row.text("alert_budget")) else {
            throw PGError(.decoding, "alert_budget is no budget id")
        }
        return BudgetAlert(
            number: number, budget: budget, name: try row.text("alert_name"),
            threshold: try row.int("alert_threshold"), spent: MicroUSD(try row.int64("alert_spent")),
            limit: MicroUSD(try row.int64("alert_limit")))
    }
}

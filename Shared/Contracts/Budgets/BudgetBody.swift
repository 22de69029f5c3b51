package import Domain

/// Budgets as the API shows them. Amounts are US dollars with six decimals, exact to the millionth.
package enum BudgetBody {
    /// How a budget stands.
    package enum State: String, Sendable, CaseIterable {
        case active
        /// Past its alert threshold.
        case warning
        /// Nothing is left to be granted.
        case exhausted
        /// It limits nothing.
        case disabled

        package init(_ budget: Budget, _ usage: BudgetUsage) {
            self =
                !budget.isEnabled
                ? .disabled
                : usage.remainder == .zero
                    ? .exhausted : usage.reaches(threshold: budget.alertThreshold) ? .warning : .active
        }
    }

    package static func json(_ budget: Budget, _ window: BudgetPeriod.Window, _ usage: BudgetUsage) -> JSONValue {
        [
            "id": .string(budget.id.text), "budget_id": .string(budget.id.text),
            "org_id": .string(budget.organization.text),
            "name": .string(budget.name), "limit_amount": dollars(budget.limit),
            "period": .string(budget.period.rawValue),
            "alert_threshold": .int(Int64(budget.alertThreshold)), "scope": .string(BudgetRequest.scope),
            "enabled": .bool(budget.isEnabled), "status": .string(State(budget, usage).rawValue),
            "spent_amount": dollars(usage.spent), "reserved_amount": dollars(usage.reserved),
            "allocated_amount": dollars(usage.idle), "remaining_amount": dollars(usage.remainder),
            "usage_percentage": .ratio(usage.share), "period_start": .string(window.start.iso8601),
            "period_end": .optional(window.end?.iso8601), "created_by": .string(budget.createdBy),
            "created_at": .string(budget.createdAt.iso8601), "updated_at": .string(budget.updatedAt.iso8601),
        ]
    }

    package static func summary(_ all: [(budget: Budget, usage: BudgetUsage)]) -> JSONValue {
        let limited = all.filter(\.budget.isEnabled)
        let tightest = limited.map(\.usage.remainder).min()
        func count(_ state: State) -> JSONValue { .int(Int64(all.count { State($0.budget, $0.usage) == state })) }
        return [
            "total_budgets": .int(Int64(all.count)), "active_budgets": .int(Int64(limited.count)),
            "warning_count": count(.warning), "exceeded_count": count(.exhausted),
            "total_limit": dollars(limited.reduce(.zero) { $0 + $1.usage.limit }),
            "total_spent": dollars(limited.reduce(.zero) { $0 + $1.usage.spent }),
            "total_reserved": dollars(limited.reduce(.zero) { $0 + $1.usage.reserved }),
            // Every budget has to pay, so the tightest decides.
            "remaining": tightest.map(dollars) ?? .null,
        ]
    }

    package static func check(cost: MicroUSD, tightest: (budget: Budget, usage: BudgetUsage)?) -> JSONValue {
        let allowed = tightest.map { $0.usage.remainder >= cost } ?? true
        return [
            "allowed": .bool(allowed), "estimated_cost": dollars(cost),
            "budget_id": .optional(tightest?.budget.id.text), "budget_name": .optional(tightest?.budget.name),
            "remaining_budget": tightest.map { dollars($0.usage.remainder) } ?? .null,
            "reason": allowed ? .null : .string("The budget does not cover it."),
        ]
    }

    package static func alert(
        _ alert: BudgetAlert, debate: DebateID, raisedAt: Timestamp, acknowledgedAt: Timestamp?, by: String?
    ) -> JSONValue {
        [
            "id": .string("\(alert.number)"), "alert_id": .string("\(alert.number)"),
            "budget_id": .string(alert.budget.text),
            "budget_name": .string(alert.name), "threshold": .int(Int64(alert.threshold)),
            "spent_amount": dollars(alert.spent), "limit_amount": dollars(alert.limit),
            "debate_id": .string(debate.text),
            "created_at": .string(raisedAt.iso8601), "acknowledged": .bool(acknowledgedAt != nil),
            "acknowledged_at": .optional(acknowledgedAt?.iso8601), "acknowledged_by": .optional(by),
        ]
    }

    package static func transaction(
        _ debate: DebateID, budget: BudgetID, user: String, at: Timestamp, spent: MicroUSD, isOver: Bool
    ) -> JSONValue {
        [
            "id": .string(debate.text), "budget_id": .string(budget.text), "debate_id": .string(debate.text),
            "user_id": .string(user), "amount": dollars(spent), "created_at": .string(at.iso8601),
            "final": .bool(isOver),
        ]
    }

    package static func deleted(_ budget: BudgetID) -> JSONValue {
        ["success": true, "deleted": true, "budget_id": .string(budget.text)]
    }

    private static func dollars(_ amount: MicroUSD) -> JSONValue { .double(Double(amount.amount) / 1_000_000) }
}

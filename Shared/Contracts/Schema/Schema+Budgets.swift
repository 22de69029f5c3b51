import Domain

/// Budgets, what became of them, and what a debate would cost.
extension Schema {
    private static let budgetID = text(pattern: "^bdg_[0-9a-hjkmnp-tv-z]{26}$")
    private static let dollars = number(0.000001...BudgetRequest.maximumUSD)

    package static let createBudget = input([
        "name": text(BudgetRequest.nameCharacters), "limit_amount": dollars,
        "period": text.ifGiven.saying(
            "One of \(BudgetPeriod.allCases.map(\.rawValue).joined(separator: ", ")); in UTC."),
        "alert_threshold": whole(1...100).ifGiven.saying("Percent of the limit."),
        "scope": text.ifGiven.saying("organization, the only one."),
    ]).named("CreateBudget")

    package static let changeBudget = input([
        "name": text(BudgetRequest.nameCharacters).ifGiven, "limit_amount": dollars.ifGiven,
        "alert_threshold": whole(1...100).ifGiven, "enabled": boolean.ifGiven,
    ]).named("ChangeBudget")

    package static let checkBudget = input([
        "operation": text.ifGiven, "estimated_cost": number(0...BudgetRequest.maximumUSD), "budget_id": text.ifGiven,
    ]).named("CheckBudget")

    package static let budget = object([
        "id": budgetID, "budget_id": budgetID, "org_id": .text, "name": .text, "limit_amount": .amount,
        "period": word(BudgetPeriod.allCases.map(\.rawValue)), "alert_threshold": whole(1...100), "scope": .text,
        "enabled": .boolean, "status": word(BudgetBody.State.allCases.map(\.rawValue)), "spent_amount": .amount,
        "reserved_amount": amount.saying("Held back for calls in flight."),
        "allocated_amount": amount.saying("Granted to debates that are not over, and not spent or reserved yet."),
        "remaining_amount": .amount, "usage_percentage": .amount, "period_start": .time, "period_end": time.orNull,
        "created_by": .text, "created_at": .time, "updated_at": .time,
    ]).named("Budget")

    package static let budgetPage = page("budgets", of: budget).named("BudgetPage")
    package static let budgetDeleted = object([
        "success": .constant(true), "deleted": .constant(true), "budget_id": budgetID,
    ]).named("BudgetDeleted")

    package static let budgetSummary = object([
        "total_budgets": .count, "active_budgets": .count, "warning_count": .count, "exceeded_count": .count,
        "total_limit": .amount, "total_spent": .amount, "total_reserved": .amount, "remaining": amount.orNull,
    ]).named("BudgetSummary")

    package static let budgetCheck = object([
        "allowed": .boolean, "estimated_cost": .amount, "budget_id": budgetID.orNull, "budget_name": text.orNull,
        "remaining_budget": amount.orNull, "reason": text.orNull,
    ]).named("BudgetCheck")

    package static let budgetAlert = object([
        "id": .text, "alert_id": .text, "budget_id": budgetID, "budget_name": .text, "threshold": whole(1...100),
        "spent_amount": .amount, "limit_amount": .amount, "debate_id": .debateID, "created_at": .time,
        "acknowledged": .boolean, "acknowledged_at": time.orNull, "acknowledged_by": text.orNull,
    ]).named("BudgetAlert")
    package static let budgetAlerts = object([
        "alerts": list(budgetAlert), "count": .count,
    ]).named("BudgetAlerts")
    package static let acknowledged = object(["success": .constant(true), "acknowledged": .constant(true)])
        .named("Acknowledged")

    package static let budgetTransactions = object([
        "transactions": list(
            object([
                "id": .text, "budget_id": budgetID, "debate_id": .debateID, "user_id": .text, "amount": .amount,
                "created_at": .time, "final": .boolean,
            ]).named("BudgetTransaction")), "count": .count,
    ]).named("BudgetTransactions")
}

import Contracts
import Domain
import Providers
import ServiceKit
import Storage

/// Refuses a debate that could ask nobody, because its own limit or a budget of its organization does not cover its first phase.
///
/// A courtesy: what is reserved is decided when the phase is due. Free panels are never looked at.
struct BudgetGate: Sendable {
    let stores: APIStores
    let providers: ProviderSettings

    /// - Throws: ``APIError``: `.validationFailed` when the debate's own limit is too low, `.budgetExhausted` when a budget is,
    ///   with what there is and what the panel needs.
    func check(_ spec: DebateSpec, in organization: OrganizationID) async throws {
        let needed = CostEstimate.firstPhase(of: spec) { providers.worstCost(of: $0) }
        guard needed > .zero else { return }
        if let limit = spec.budget, limit < needed { throw Self.tooLow(limit, needed) }
        let standings: [BudgetStore.Standing]
        do { standings = try await stores.budgets.standings(of: organization) } catch {
            throw APIError.unavailable(error)
        }
        guard let short = standings.first(where: { $0.budget.isEnabled && $0.usage.remainder < needed }) else { return }
        let ends = short.window.end.map { " until \($0.iso8601)" } ?? ""
        throw APIError(
            .budgetExhausted,
            """
            The budget "\(short.budget.name)" has $\(Self.dollars(short.usage.remainder)) left\(ends); \
            the first phase of this panel can cost $\(Self.dollars(needed))
            """,
            suggestion:
                "raise the budget, wait for its next period, or name \"demo\" or \"local\" agents, which are free")
    }

    /// The client's own number: to be mended in the request.
    private static func tooLow(_ limit: MicroUSD, _ needed: MicroUSD) -> APIError {
        var error = APIError(
            ValidationFailure([
                FieldProblem(
                    "budget_limit_usd",
                    "is $\(dollars(limit)), and the first phase of this panel can cost $\(dollars(needed)): it would ask nobody"
                )
            ]))
        error.suggestion =
            "raise the limit, or name fewer or cheaper agents; POST /api/v1/debates/estimate says what a debate can cost"
        return error
    }

    private static func dollars(_ amount: MicroUSD) -> String {
        let fraction = String(amount.amount % 1_000_000)
        return "\(amount.amount / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}

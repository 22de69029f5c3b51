import Contracts
import Domain
import Providers
import ServiceKit
import Storage

/// Refuses a debate that could ask nobody, because a budget of its organization does not cover its first phase.
///
/// A courtesy: what is reserved is decided when the phase is due. Free panels are never looked at.
struct BudgetGate: Sendable {
    let stores: APIStores
    let providers: ProviderSettings

    /// - Throws: ``APIError`` `.budgetExhausted`, naming the budget, what it has left, and what the panel needs.
    func check(_ spec: DebateSpec, in organization: OrganizationID) async throws {
        let needed = CostEstimate.firstPhase(of: spec) { providers.worstCost(of: $0) }
        guard needed > .zero else { return }
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

    private static func dollars(_ amount: MicroUSD) -> String {
        let fraction = String(amount.amount % 1_000_000)
        return "\(amount.amount / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}

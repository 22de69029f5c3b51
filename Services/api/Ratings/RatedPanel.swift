import Domain
import Storage

/// Gives the agents of a new debate the ratings that it will go by; in event 1 they are settled for good.
struct RatedPanel {
    let store: RatingStore
    let rules: RatingRules

    /// - Parameters:
    ///   - needsRating: the judge is the best rated.
    ///   - needsWeight: votes count by rating.
    /// - Throws: ``StorageError``.
    func rate(
        _ panel: [AgentSpec], needsRating: Bool, needsWeight: Bool
    ) async throws(StorageError) -> [AgentSpec] {
        guard needsRating || needsWeight else { return panel }
        let known = try await store.ratings(of: panel.map(RatedAgent.init))
        let points = panel.map { known[RatedAgent($0)]?.points ?? rules.initial }
        return zip(panel, points).map { agent, own in
            AgentSpec(
                name: agent.name, provider: agent.provider, model: agent.model, role: agent.role,
                persona: agent.persona,
                weight: needsWeight ? EloRule.voteWeight(own, among: points) : agent.weight, rating: own)
        }
    }
}

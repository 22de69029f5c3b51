/// What an installation chose about ratings. Stored with every match, so that changing it changes no past one.
package struct RatingRules: Hashable, Sendable {
    package static let initialRange = 100...10_000
    package static let kFactorRange = 1...400
    package static let standard = RatingRules(initial: AgentSpec.standardRating, kFactor: 32)

    /// What an agent without any match has.
    package let initial: Int
    /// Points that one match moves an agent by, at most, for each seat it had.
    package let kFactor: Int

    package init(initial: Int, kFactor: Int) {
        self.initial = initial
        self.kFactor = kFactor
    }
}

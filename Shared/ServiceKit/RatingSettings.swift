package import Domain
package import Platform

/// How agents are rated.
package struct RatingSettings: Sendable {
    package let rules: RatingRules

    package init(reading reader: inout SettingsReader) {
        rules = RatingRules(
            initial: reader.int(
                "ARAGORA_ELO_INITIAL", default: RatingRules.standard.initial, in: RatingRules.initialRange,
                help: "Rating of an agent that has no match yet. The same in every process; a match keeps its own."),
            kFactor: reader.int(
                "ARAGORA_ELO_K_FACTOR", default: RatingRules.standard.kFactor, in: RatingRules.kFactorRange,
                help: "Points that one match can move an agent by. The same in every process; a match keeps its own."))
    }
}

/// One figure of a study.
package struct Finding: Sendable {
    package enum Unit: String, Sendable {
        /// A share, shown in percent.
        case share
        case number
    }

    /// What it must be for the study to hold.
    package struct Expectation: Sendable {
        /// In words.
        package let text: String
        package let isMet: Bool
    }

    package let name: String
    package let unit: Unit
    package let estimate: Estimate
    package let expectation: Expectation?

    init(_ name: String, _ estimate: Estimate, in unit: Unit = .share, expecting: Expectation? = nil) {
        self.name = name
        self.unit = unit
        self.estimate = estimate
        expectation = expecting
    }
}

extension Finding.Expectation {
    /// Within `tolerance` of `exact`.
    static func near(_ exact: Double, within tolerance: Double, _ estimate: Estimate) -> Self {
        .init(
            text: "\(percent(exact)) ± \(percent(tolerance))", isMet: abs(estimate.value - exact) <= tolerance)
    }

    static func atLeast(_ least: Double, _ estimate: Estimate) -> Self {
        .init(text: "≥ \(percent(least))", isMet: estimate.value >= least)
    }

    static func atMost(_ most: Double, _ estimate: Estimate) -> Self {
        .init(text: "≤ \(percent(most))", isMet: estimate.value <= most)
    }

    private static func percent(_ share: Double) -> String { "\((share * 10_000).rounded() / 100) %" }
}

/// What one study found.
package struct StudyReport: Sendable {
    package let study: StudyName
    package let seed: UInt64
    /// Debates in which each figure was observed.
    package let debates: Int
    package let findings: [Finding]
    package var isMet: Bool { findings.allSatisfy { $0.expectation?.isMet ?? true } }
}

import Domain

/// The studies, in the order of docs/evaluation.md.
package enum StudyName: String, Sendable, CaseIterable {
    case independent, neutral, herding, tuning, adaptive

    package var about: String {
        switch self {
        case .independent: "independent voters against the closed form"
        case .neutral: "neutral updating leaves accuracy as it is"
        case .herding: "the herding index tells conformist from independent panels"
        case .tuning: "constants of the adaptive rule on the population they were chosen on"
        case .adaptive: "the adaptive mode on a population it was not tuned on"
        }
    }

    /// The seed that docs/evaluation.md quotes.
    package var seed: UInt64 {
        switch self {
        case .independent: 1_785
        case .neutral: 1_939
        case .herding: 1_965
        case .tuning: 1_907
        case .adaptive: 2_026
        }
    }

    /// Debates that docs/evaluation.md quotes.
    package static let standardDebates = 100_000
    /// Fewer say nothing.
    package static let debatesRange = 1_000...10_000_000

    /// Debates that the whole study runs, for progress.
    package func total(debates: Int) -> Int {
        switch self {
        case .independent: IndependentStudy.cases.count * debates
        case .neutral: NeutralStudy.cases.count * debates
        case .herding: HerdingStudy.total(debates: debates)
        case .tuning: TuningStudy.populations.count * debates
        case .adaptive: AdaptiveStudy.populations.count * debates
        }
    }

    /// Runs it.
    ///
    /// - Parameters:
    ///   - seed: nil for the one that the document quotes.
    ///   - tolerance: what chance may add to the tolerance of the targets, in standard errors; 0 for the targets themselves.
    package func run(
        debates: Int, seed: UInt64? = nil, slack: Double = 0, on experiment: Experiment
    ) async throws -> StudyReport {
        let seed = seed ?? self.seed
        let setting = StudySetting(debates: debates, seed: seed, slack: slack, experiment: experiment)
        let findings =
            switch self {
            case .independent: try await IndependentStudy.findings(setting)
            case .neutral: try await NeutralStudy.findings(setting)
            case .herding: try await HerdingStudy.findings(setting)
            case .tuning: try await TuningStudy.findings(setting)
            case .adaptive: try await AdaptiveStudy.findings(setting)
            }
        return StudyReport(study: self, seed: seed, debates: debates, findings: findings)
    }
}

/// How a study is to be run.
struct StudySetting: Sendable {
    let debates: Int
    let seed: UInt64
    /// Standard errors by which a figure may miss its tolerance; for runs of fewer debates than the targets are stated for.
    let slack: Double
    let experiment: Experiment

    /// A seed of its own for each case of a study.
    func seed(_ number: Int) -> UInt64 { SeededRandom.seed(seed, -1 - number) }

    /// The same experiment, counting on from the debates of earlier cases.
    func continued(after done: Int) -> Experiment {
        let progress = experiment.progress
        return Experiment(threads: experiment.threads) { progress(done + $0) }
    }
}

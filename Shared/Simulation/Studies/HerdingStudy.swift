import Domain

/// Whether ``DebateInsight/herding`` tells panels of conformists from panels that think for themselves.
///
/// A panel is a hundred debates of the same five agents; its score is the mean of the index over them. Both kinds change their minds
/// by themselves as well, each panel more or less often, so that movement alone gives nobody away.
enum HerdingStudy {
    static let target = 0.9
    static let conformity = 0.3
    /// Debates of one panel for which the target is stated.
    static let debatesPerPanel = 100
    /// Also shown.
    static let sizes = [1, 10, 20, 50, 100]
    static let secondThoughts = 0.05...0.4

    static func total(debates: Int) -> Int { panels(debates: debates) * 2 * debatesPerPanel }
    /// Of each kind.
    static func panels(debates: Int) -> Int { max(10, debates / (2 * debatesPerPanel)) }

    static func findings(_ setting: StudySetting) async throws -> [Finding] {
        let panels = panels(debates: setting.debates)
        let independent = try await scores(panels, conformity: 0, seed: setting.seed(0), setting.continued(after: 0))
        let conformist = try await scores(
            panels, conformity: conformity, seed: setting.seed(1),
            setting.continued(after: panels * debatesPerPanel))
        var findings = describe("independent", independent) + describe("conformist", conformist)
        for size in sizes {
            func score(_ panel: [Insight]) -> Double { panel.prefix(size).map(\.herding).mean }
            let area = RankStatistics.areaUnderCurve(
                positives: conformist.map(score), negatives: independent.map(score))
            findings.append(
                Finding(
                    "area under the curve, \(size) \(size == 1 ? "debate" : "debates") a panel", area,
                    expecting: size == debatesPerPanel
                        ? .atLeast(target - setting.slack * area.standardError, area) : nil))
        }
        return findings
    }

    private struct Insight: Sendable {
        let herding: Double
        let effectiveVoters: Double
    }

    private static func describe(_ kind: String, _ panels: [[Insight]]) -> [Finding] {
        [
            Finding(
                "herding index, \(kind) panels, mean",
                Estimate(meanOf: panels.map { $0.map(\.herding).mean }), in: .number),
            Finding(
                "effective voters of five, \(kind) panels, mean",
                Estimate(meanOf: panels.map { $0.map(\.effectiveVoters).mean }), in: .number),
        ]
    }

    /// By panel, what each of its debates says of itself.
    private static func scores(
        _ panels: Int, conformity: Double, seed: UInt64, _ experiment: Experiment
    ) async throws -> [[Insight]] {
        let scores = try await experiment.map(panels * debatesPerPanel) { index in
            let (panel, debate) = (index / debatesPerPanel, index % debatesPerPanel)
            let seat = SeededRandom.seed(seed, panel)
            var character = SeededRandom(seed: seat)
            let population = Population(
                agents: 5, answers: 4, rounds: 3, competence: 0.35...0.85, conformity: [conformity],
                secondThoughts: character.value(in: secondThoughts))
            let outcome = try SimulatedDebate(
                of: population, character: character.next(), seed: SeededRandom.seed(seat, debate)
            ).outcome
            return Insight(
                herding: outcome.insight?.herding.value ?? 0,
                effectiveVoters: outcome.insight?.effectiveVoters.value ?? 0)
        }
        return (0..<panels).map { Array(scores[$0 * debatesPerPanel..<($0 + 1) * debatesPerPanel]) }
    }
}

extension [Double] {
    /// 0 without values.
    var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}

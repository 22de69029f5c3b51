import Simulation
import Testing

/// The studies of docs/evaluation.md with some hundred debates for each figure. What chance adds at this size is allowed for: four standard
/// errors of the figure itself, beyond the tolerance of the target.
@Suite("Studies")
struct StudyTests {
    static let debates = 400
    static let slack = 4.0

    @Test("each study holds on other seeds than the ones that are quoted", arguments: StudyName.allCases)
    func holds(study: StudyName) async throws {
        let report = try await study.run(
            debates: Self.debates, seed: study.seed + 1_000, slack: Self.slack, on: Experiment(threads: 2))
        for finding in report.findings {
            #expect(finding.expectation?.isMet ?? true, "\(finding.name): \(finding.estimate.value)")
        }
        #expect(report.findings.contains { $0.expectation != nil })
    }
}

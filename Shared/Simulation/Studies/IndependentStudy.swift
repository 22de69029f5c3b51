import Domain

/// Voters that never listen decide as often rightly as Condorcet's jury (1785): the whole machine against a formula.
enum IndependentStudy {
    static let tolerance = 0.005
    static let cases = [3, 5, 7].flatMap { agents in
        [0.55, 0.60, 0.65, 0.70, 0.75, 0.80].map { (agents: agents, competence: $0) }
    }

    static func findings(_ setting: StudySetting) async throws -> [Finding] {
        var findings: [Finding] = []
        for (number, (agents, competence)) in cases.enumerated() {
            // One round is enough for agents that never change.
            let population = Population(
                agents: agents, answers: 2, rounds: 1, competence: competence...competence)
            let seed = setting.seed(number)
            let right = try await setting.continued(after: number * setting.debates).map(setting.debates) { index in
                try SimulatedDebate(of: population, seed: SeededRandom.seed(seed, index)).decision == 0
            }
            let share = Estimate(share: right.count { $0 }, of: right.count)
            findings.append(
                Finding(
                    "\(agents) voters, each right with \(competence): decision right", share,
                    expecting: .near(
                        ClosedForm.majority(of: agents, competence: competence),
                        within: tolerance + setting.slack * share.standardError, share)))
        }
        return findings
    }
}

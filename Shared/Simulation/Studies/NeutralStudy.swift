import Domain

/// Updating that is neutral leaves the mean accuracy of the agents where it was; what it does to their vote is another matter.
///
/// Why the mean is a martingale: let a(i) be 1 when agent i is right and 0 otherwise. In a round, agent i takes over its critic's
/// answer with the probability c, draws anew with v and keeps its answer with 1 − c − v, each independent of who is right. So
/// E[a′(i)] = (1 − c − v) a(i) + c a(critic of i) + v p(i). Everyone criticises exactly one other, so the critics of all are
/// all agents, each once, and the sum over i of a(critic of i) is the sum of a(i). The mean A then has
/// E[A′ | A] = (1 − v) A + v P, where P is the mean competence. With v = 0 that is A itself: a martingale. With v > 0 it is
/// constant in expectation, since the first answers have E[A] = P.
enum NeutralStudy {
    static let tolerance = 0.005
    static let rounds = 5
    static let cases: [(conformity: Double, secondThoughts: Double)] = [(0.3, 0), (0.6, 0), (0, 0.3), (0.3, 0.2)]

    static func population(_ conformity: Double, _ secondThoughts: Double) -> Population {
        Population(
            agents: 5, answers: 2, rounds: rounds, competence: 0.35...0.85, conformity: [conformity],
            secondThoughts: secondThoughts)
    }

    private struct Debate: Sendable {
        /// Shares of the agents that were right: first, and after each round.
        let accuracy: [Double]
        let firstVote: Bool
        let decision: Bool
    }

    static func findings(_ setting: StudySetting) async throws -> [Finding] {
        var findings: [Finding] = []
        for (number, (conformity, secondThoughts)) in cases.enumerated() {
            let population = population(conformity, secondThoughts)
            let seed = setting.seed(number)
            let debates = try await setting.continued(after: number * setting.debates).map(setting.debates) { index in
                let debate = try SimulatedDebate(of: population, seed: SeededRandom.seed(seed, index))
                return Debate(
                    accuracy: debate.answers.map { Double($0.count { $0 == 0 }) / Double($0.count) },
                    firstVote: debate.firstPlurality == 0, decision: debate.decision == 0)
            }
            let name = "conformity \(conformity), second thoughts \(secondThoughts)"
            for round in 0...rounds {
                let mean = Estimate(meanOf: debates.map { $0.accuracy[round] })
                let change = Estimate(meanOf: debates.map { $0.accuracy[round] - $0.accuracy[0] })
                findings.append(
                    Finding(
                        "\(name): an agent right \(round == 0 ? "at first" : "after round \(round)")", mean,
                        expecting: round == 0
                            ? nil
                            : .near(
                                mean.value - change.value, within: tolerance + setting.slack * change.standardError,
                                mean)))
            }
            findings.append(
                Finding("\(name): first vote right", Estimate(share: debates.count { $0.firstVote }, of: debates.count))
            )
            findings.append(
                Finding("\(name): decision right", Estimate(share: debates.count { $0.decision }, of: debates.count)))
        }
        return findings
    }
}

import Domain

/// How the constants of ``AdaptiveRule`` were chosen: those with which the adaptive mode decides rightly most often, of those that need at most half of
/// the calls of three rounds, on panels of other sizes, answers, competence and conformity than the ones they are judged on.
///
/// The debates are run once, with all rounds; where a rule would have stopped follows from their votes.
enum TuningStudy {
    /// A share below 0.6 is not on the grid to choose from: the debate would end without a consensus while rounds are left.
    static let shares = [0.6, 0.8].map { Ratio($0) }
    static let copied = [0, 0.2, 0.5, 1].map { Ratio($0) }
    static let leads = [0.1, 0.2, 0.3].map { Ratio($0) }
    /// Shown for comparison.
    static let anyLeader = AdaptiveRule.Constants(ballotShare: .zero, copied: Ratio(0.2), lead: .zero)
    /// How far the constants in use may be behind the best ones of a run: chance decides between equals.
    static let tolerance = 0.002

    static let populations = [
        population(agents: 4, answers: 3, secondThoughts: 0.2), population(agents: 4, answers: 5, secondThoughts: 0.05),
        population(agents: 7, answers: 3, secondThoughts: 0.05), population(agents: 7, answers: 5, secondThoughts: 0.2),
    ]

    private static func population(agents: Int, answers: Int, secondThoughts: Double) -> Population {
        Population(
            agents: agents, answers: answers, rounds: 3, competence: 0.4...0.9, conformity: [0.15, 0.45],
            secondThoughts: secondThoughts)
    }

    static let grid = shares.flatMap { share in
        copied.flatMap { copied in
            leads.map { AdaptiveRule.Constants(ballotShare: share, copied: copied, lead: $0) }
        }
    }

    private struct Score: Sendable {
        let constants: AdaptiveRule.Constants
        let right: Estimate
        let calls: Estimate
    }

    static func findings(_ setting: StudySetting) async throws -> [Finding] {
        var debates: [[AdaptivePair]] = []
        for (number, population) in populations.enumerated() {
            let seed = setting.seed(number)
            debates += try await setting.continued(after: number * setting.debates).map(setting.debates) { index in
                let debate = try SimulatedDebate(of: population, seed: SeededRandom.seed(seed, index))
                return (grid + [anyLeader]).map { pair(debate, under: $0) }
            }
        }
        let scores = (grid + [anyLeader]).enumerated().map { place, constants in
            Score(
                constants: constants, right: Estimate(share: debates.count { $0[place].adaptive }, of: debates.count),
                calls: Estimate(
                    ratioOf: debates.map { Double($0[place].calls) }, to: debates.map { Double($0[place].fixedCalls) }))
        }
        let affordable = scores.dropLast().filter { $0.calls.value <= AdaptiveStudy.mostCalls }
        let best = affordable.map(\.right.value).max() ?? 1
        return [
            Finding("first plurality right", Estimate(share: debates.count { $0[0].first }, of: debates.count)),
            Finding("final plurality right", Estimate(share: debates.count { $0[0].final }, of: debates.count)),
        ]
            + scores.flatMap { score in
                let isInUse = score.constants == .tuned
                let name =
                    "ballots \(score.constants.ballotShare.value), copied \(score.constants.copied.value), lead \(score.constants.lead.value)"
                return [
                    Finding(
                        "\(name): right", score.right,
                        expecting: isInUse
                            ? .atLeast(best - tolerance - setting.slack * score.right.standardError, score.right) : nil),
                    Finding(
                        "\(name): calls, of those of three rounds", score.calls,
                        expecting: isInUse ? .atMost(AdaptiveStudy.mostCalls, score.calls) : nil),
                ]
            }
    }

    /// What the debate would have come to under these constants.
    private static func pair(_ debate: SimulatedDebate, under constants: AdaptiveRule.Constants) -> AdaptivePair {
        let answers = debate.answers
        let rule = AdaptiveRule(panel: answers[0].count, constants: constants)
        let votes = answers.indices.map { vote in
            let heard =
                vote == 0
                ? []
                : debate.heard[vote - 1].enumerated().compactMap { place, option in
                    option.map { (name(place), [$0]) }
                }
            return AdaptiveRule.Moment(
                choices: PanelMap(answers[vote].enumerated().map { (name($0), $1) }), heard: PanelMap(heard))
        }
        let stop =
            votes.indices.dropLast().first { rule.stopShare(after: Array(votes[...$0])) != nil } ?? votes.count - 1
        let standing = rule.standing(after: Array(votes[...stop]))
        let decision = answers[stop].max { left, right in
            (standing[left] ?? 0, answers[stop].count { $0 == left }, -(answers[stop].firstIndex(of: left) ?? 0))
                < (
                    standing[right] ?? 0, answers[stop].count { $0 == right },
                    -(answers[stop].firstIndex(of: right) ?? 0)
                )
        }
        return AdaptivePair(
            first: debate.firstPlurality == 0, final: debate.decision == 0, adaptive: decision == 0,
            calls: calls(agents: answers[0].count, rounds: stop),
            fixedCalls: calls(agents: answers[0].count, rounds: answers.count - 1))
    }

    /// In the panel's order, also as text.
    private static func name(_ place: Int) -> String { "agent-\(place)" }

    /// Proposals and ballots, then criticism, revisions and votes, with new proposals in each round after the first.
    private static func calls(agents: Int, rounds: Int) -> Int {
        agents * (2 + (rounds > 0 ? 3 : 0) + 4 * max(0, rounds - 1))
    }
}

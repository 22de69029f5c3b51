import Domain

/// The adaptive mode, as tuned, against three fixed rounds: the same panels, each debating twice.
///
/// The oracle knows afterwards which of the first plurality and the final one is right, debate by debate.
enum AdaptiveStudy {
    static let leastRecovered = 0.5
    static let mostCalls = 0.5

    struct Case: Sendable {
        let name: String
        let population: Population
        /// Whether the targets are stated for it.
        let isJudged: Bool
    }

    static func population(answers: Int, secondThoughts: Double, persuasion: Double = 0) -> Population {
        Population(
            agents: 5, answers: answers, rounds: 3, competence: 0.35...0.85, conformity: [0, 0.3, 0.6],
            secondThoughts: secondThoughts, persuasion: persuasion)
    }

    static let populations = [
        Case(name: "four answers", population: population(answers: 4, secondThoughts: 0.1), isJudged: true),
        Case(
            name: "four answers, no second thoughts", population: population(answers: 4, secondThoughts: 0),
            isJudged: true),
        Case(name: "three answers", population: population(answers: 3, secondThoughts: 0.1), isJudged: true),
        Case(
            name: "three answers, no second thoughts", population: population(answers: 3, secondThoughts: 0),
            isJudged: true),
        Case(
            name: "two answers, no second thoughts", population: population(answers: 2, secondThoughts: 0),
            isJudged: false),
        Case(name: "two answers", population: population(answers: 2, secondThoughts: 0.1), isJudged: false),
        Case(
            name: "four answers, the right one persuades",
            population: population(answers: 4, secondThoughts: 0.1, persuasion: 0.4), isJudged: false),
    ]

    static func findings(_ setting: StudySetting) async throws -> [Finding] {
        var findings: [Finding] = []
        for (number, item) in populations.enumerated() {
            let seed = setting.seed(number)
            let population = item.population
            let pairs = try await setting.continued(after: number * setting.debates).map(setting.debates) { index in
                let debate = SeededRandom.seed(seed, index)
                let fixed = try SimulatedDebate(of: population, seed: debate)
                return AdaptivePair(
                    fixed: fixed, adaptive: try SimulatedDebate(of: population, isAdaptive: true, seed: debate),
                    best: BestGuess(in: population).isRight(fixed))
            }
            findings += Self.findings(item, pairs, slack: setting.slack)
        }
        return findings
    }

    private static func findings(_ item: Case, _ pairs: [AdaptivePair], slack: Double) -> [Finding] {
        let count = pairs.count
        let recovered = AdaptivePair.recovered(pairs)
        let calls = Estimate(ratioOf: pairs.map { Double($0.calls) }, to: pairs.map { Double($0.fixedCalls) })
        func share(_ name: String, _ isRight: (AdaptivePair) -> Bool) -> Finding {
            Finding("\(item.name): \(name) right", Estimate(share: pairs.count(where: isRight), of: count))
        }
        return [
            share("first plurality") { $0.first }, share("final plurality") { $0.final },
            share("oracle") { $0.oracle }, share("adaptive decision") { $0.adaptive },
            Finding("\(item.name): best guess from all three rounds right", Estimate(meanOf: pairs.map(\.best))),
            Finding(
                "\(item.name): recovered by the best guess, the most that any rule could", AdaptivePair.bound(pairs)),
            Finding(
                "\(item.name): recovered of what the final plurality loses against the oracle", recovered,
                expecting: item.isJudged
                    ? .atLeast(leastRecovered - slack * recovered.standardError, recovered) : nil),
            Finding(
                "\(item.name): calls, of those of three rounds", calls,
                expecting: item.isJudged ? .atMost(mostCalls, calls) : nil),
        ]
    }
}

/// The same panel with all rounds, and with the adaptive mode.
struct AdaptivePair: Sendable {
    let first: Bool
    let final: Bool
    let adaptive: Bool
    let calls: Int
    let fixedCalls: Int
    /// The probability that the best guess from everything said is right.
    let best: Double
    var oracle: Bool { first || final }

    init(fixed: SimulatedDebate, adaptive: SimulatedDebate, best: Double) {
        self.best = best
        first = fixed.firstPlurality == 0
        final = fixed.decision == 0
        self.adaptive = adaptive.decision == 0
        calls = adaptive.outcome.insight?.effort.calls ?? 0
        fixedCalls = fixed.outcome.insight?.effort.calls ?? 0
    }

    init(first: Bool, final: Bool, adaptive: Bool, calls: Int, fixedCalls: Int) {
        best = .nan
        self.first = first
        self.final = final
        self.adaptive = adaptive
        self.calls = calls
        self.fixedCalls = fixedCalls
    }

    static func bound(_ pairs: [AdaptivePair]) -> Estimate {
        Estimate(
            ratioOf: pairs.map { $0.best - ($0.final ? 1 : 0) },
            to: pairs.map { ($0.oracle ? 1 : 0) - ($0.final ? 1 : 0) })
    }

    static func recovered(_ pairs: [AdaptivePair]) -> Estimate {
        Estimate(
            ratioOf: pairs.map { ($0.adaptive ? 1 : 0) - ($0.final ? 1 : 0) },
            to: pairs.map { ($0.oracle ? 1 : 0) - ($0.final ? 1 : 0) })
    }
}

import Domain

/// Debates that are run to see how fast: three agents that sometimes think again, three rounds.
package enum SpeedRun {
    static let seed: UInt64 = 36

    package static let population = Population(
        agents: 3, answers: 3, rounds: 3, competence: 0.35...0.85, conformity: [0.3], secondThoughts: 0.1)

    /// - Returns: how many events the machine took in.
    package static func events(debates: Int, on experiment: Experiment) async throws -> Int {
        try await experiment.map(debates) { index in
            try SimulatedDebate(of: population, seed: SeededRandom.seed(seed, index)).events
        }.reduce(0, +)
    }
}

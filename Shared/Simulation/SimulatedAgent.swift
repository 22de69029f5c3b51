import Domain

/// One agent: an answer, and what makes it change.
///
/// It draws the same amount of chance in every round whatever it does with it, so that the same agent in two debates of the
/// same seed (one of which ends earlier) is the same as far as both go.
struct SimulatedAgent {
    private let population: Population
    private let conformity: Double
    private let competence: Double
    private var random: SeededRandom
    private(set) var answer: Int

    init(of population: Population, conformity: Double, competence: Double, seed: UInt64) {
        self.population = population
        self.conformity = conformity
        self.competence = competence
        random = SeededRandom(seed: seed)
        answer = 0
        answer = thought()
    }

    /// Revises its answer after hearing a critic that holds `heard`; nil when nobody criticised it.
    mutating func revise(hearing heard: Int?) {
        let chance = random.unit()
        let own = thought()
        let yielding = conformity * (heard == 0 ? 1 + population.persuasion : 1 - population.persuasion)
        if let heard, chance < yielding {
            answer = heard
        } else if chance >= 1 - population.secondThoughts {
            answer = own
        }
    }

    private mutating func thought() -> Int {
        let (chance, wrong) = (random.unit(), random.next())
        return chance < competence ? 0 : 1 + Int(wrong % UInt64(population.answers - 1))
    }
}

extension SeededRandom {
    /// Evenly from 0 to below 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func value(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + unit() * (range.upperBound - range.lowerBound)
    }

    /// A seed for one of many draws under a study's seed, unrelated to its neighbours'.
    static func seed(_ study: UInt64, _ index: Int) -> UInt64 {
        var outer = SeededRandom(seed: study)
        var inner = SeededRandom(seed: outer.next() ^ UInt64(truncatingIfNeeded: index))
        return inner.next()
    }
}

/// The best that any rule can make of a debate: the answer that is most probably right, given everything that was said.
///
/// It knows what no rule knows: the population, that is what conformities there are, how often agents think again, and from where
/// their competence is drawn; and it has seen all rounds. What it can not know is what nobody in the debate shows: each agent's
/// own competence, and whether an agent that now says what its critic said copied that or thought of it. So it is an upper
/// bound for every rule that sees what is said, whatever it spends.
struct BestGuess {
    private let population: Population

    init(in population: Population) { self.population = population }

    /// The probability that the best guess is right; between guesses that are equally good, chance decides.
    func isRight(_ debate: SimulatedDebate) -> Double {
        let likelihoods = (0..<population.answers).map { likelihood(of: debate, if: $0) }
        let best = likelihoods.max() ?? 0
        // Equal but for the order of additions.
        let tied = likelihoods.indices.filter { likelihoods[$0] >= best * (1 - 1e-9) }
        return tied.contains(0) ? 1 / Double(tied.count) : 0
    }

    /// Of what was said, if `right` is the right answer: over the panel's conformities, and each agent's competence.
    private func likelihood(of debate: SimulatedDebate, if right: Int) -> Double {
        population.conformity.reduce(0) { sum, conformity in
            sum + debate.answers[0].indices.reduce(1) { $0 * likelihood(of: $1, in: debate, if: right, conformity) }
        }
    }

    private func likelihood(
        of agent: Int, in debate: SimulatedDebate, if right: Int, _ conformity: Double
    ) -> Double {
        Self.quadrature.reduce(0) { sum, node in
            let range = population.competence
            let competence =
                (range.lowerBound + range.upperBound) / 2
                + node.place * (range.upperBound - range.lowerBound) / 2
            func thought(_ answer: Int) -> Double {
                answer == right ? competence : (1 - competence) / Double(population.answers - 1)
            }
            var product = thought(debate.answers[0][agent])
            for round in debate.heard.indices {
                let (before, after) = (debate.answers[round][agent], debate.answers[round + 1][agent])
                let heard = debate.heard[round][agent]
                let copies =
                    heard == nil
                    ? 0 : conformity * (heard == right ? 1 + population.persuasion : 1 - population.persuasion)
                let rethinks = population.secondThoughts
                product *=
                    (heard == after ? copies : 0) + rethinks * thought(after)
                    + (before == after ? 1 - copies - rethinks : 0)
            }
            return sum + node.weight * product
        }
    }

    /// Gauss and Legendre's three points: exact up to the fifth power, and a competence enters once a thought, four times in
    /// three rounds.
    private static let quadrature = [
        (place: -0.774_596_669_241_483_4, weight: 5.0 / 18), (place: 0, weight: 8.0 / 18),
        (place: 0.774_596_669_241_483_4, weight: 5.0 / 18),
    ]
}

/// What simulated agents are like. Right is answer 0; nobody in the debate knows that.
///
/// Each debate draws its panel: one conformity for all, and for each agent a competence, the probability that an answer it
/// thinks of by itself is right; the wrong ones are equally likely. In each round each agent, when it revises, does one of three
/// things: with the probability `conformity` it takes over the answer of the agent that criticised it; with the probability
/// `secondThoughts` it thinks again by itself, as if for the first time; otherwise it keeps its answer.
package struct Population: Hashable, Sendable {
    package var agents: Int
    /// Answers to choose from, one of them right.
    package var answers: Int
    package var rounds: Int
    /// An agent's competence is drawn evenly from here.
    package var competence: ClosedRange<Double>
    /// A panel's conformity is one of these, equally likely.
    package var conformity: [Double]
    /// At most 1 − the highest conformity.
    package var secondThoughts: Double
    /// How much more readily the right answer is taken over than a wrong one: with the probability conformity × (1 ± this).
    /// 0 is neutral: nothing about an argument tells whether it is right.
    package var persuasion: Double

    package static let agentsRange = 2...10
    package static let answersRange = 2...AnswerTexts.maxAnswers

    package init(
        agents: Int, answers: Int, rounds: Int, competence: ClosedRange<Double>, conformity: [Double] = [0],
        secondThoughts: Double = 0, persuasion: Double = 0
    ) {
        precondition(Self.agentsRange.contains(agents), "a panel has 2 to 10 agents")
        precondition(Self.answersRange.contains(answers), "there is no text for so many answers")
        precondition((1...AnswerTexts.maxRounds).contains(rounds), "a debate has 1 to 12 rounds")
        precondition(!conformity.isEmpty, "a panel has a conformity")
        precondition(
            (conformity.max() ?? 0) * (1 + persuasion) + secondThoughts <= 1, "probabilities add up to at most 1")
        self.agents = agents
        self.answers = answers
        self.rounds = rounds
        self.competence = competence
        self.conformity = conformity
        self.secondThoughts = secondThoughts
        self.persuasion = persuasion
    }
}

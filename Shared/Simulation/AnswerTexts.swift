/// What simulated agents say.
///
/// A position is eight words of its answer's own and four of the round's: in one round equal answers are equal texts, which the
/// machine counts as one choice; different answers share a fifth of their words; and the same answer in two rounds is half the
/// same, so that it is recognised (``OptionTracker``) without counting as converged, which would end the debate before its
/// last round.
enum AnswerTexts {
    static let maxAnswers = 8
    static let maxRounds = 12

    /// By answer, then by round from 1.
    private static let positions: [[String]] = (0..<maxAnswers).map { answer in
        (0...maxRounds).map { round in
            let own = (0..<8).map { "answer\(answer)reason\($0)" }
            let common = (0..<4).map { "round\(round)word\($0)" }
            return (own + common).joined(separator: " ")
        }
    }

    static func position(_ answer: Int, round: Int) -> String { positions[answer][round] }

    /// The answer that a text of this round holds.
    static func answer(in text: String, round: Int, of answers: Int) -> Int? {
        (0..<answers).first { positions[$0][round] == text }
    }
}

package import Domain

/// One whole debate of the real machine with simulated agents: from `debate_start` to `debate_end`, event by event.
package struct SimulatedDebate: Sendable {
    /// Something the machine asked for that these agents can not do; never happens for the debates made here.
    package struct Unexpected: Error {
        package let message: String
    }

    /// What the agents answered when they proposed, and after each round.
    package private(set) var answers: [[Int]]
    /// What each agent heard, in each round; nil for whom nobody criticised.
    let heard: [[Int?]]
    package private(set) var outcome: DebateOutcome
    package private(set) var events: Int

    /// The answer that the machine's decision holds; nil when it has none.
    package var decision: Int? {
        outcome.result.flatMap { AnswerTexts.answer(in: $0, round: outcome.consensus?.round ?? 1, of: options) }
    }
    private let options: Int

    /// What the machine would have decided from the first answers alone: most votes, then first in the panel.
    package var firstPlurality: Int { Self.plurality(of: answers[0]) }

    static func plurality(of answers: [Int]) -> Int {
        var best = (answer: answers[0], votes: 0)
        for answer in answers {
            let votes = answers.count { $0 == answer }
            if votes > best.votes { best = (answer, votes) }
        }
        return best.answer
    }

    /// - Parameters:
    ///   - character: the same for debates of one panel; nil for a panel of the debate's own.
    ///   - isAdaptive: whether the machine may end the debate before its last round.
    ///   - seed: the same panel, doing the same, for the same seed.
    ///   - observe: is given each event before the machine is.
    package init(
        of population: Population, character: UInt64? = nil, isAdaptive: Bool = false, seed: UInt64,
        observe: ((DebateEvent) -> Void)? = nil
    ) throws {
        var panel = SimulatedPanel(of: population, character: character ?? SeededRandom.seed(seed, 0), seed: seed)
        var log = Log(observe: observe)
        let spec = try SimulatedPanel.spec(for: population, isAdaptive: isAdaptive)
        try log.append(.debateStart(DebateStart(spec: spec, engineVersion: .current)))
        while true {
            let due = log.machine.due
            switch due.first {
            case .record(let events): for event in events { try log.append(event) }
            case .call:
                // All at once, as models are asked: nobody hears what another says in the same phase.
                for event in try panel.answer(due) { try log.append(event) }
            case .finish(let outcome):
                try log.end(outcome)
                self.outcome = outcome
                answers = panel.answers
                heard = panel.heard
                events = log.count
                options = population.answers
                return
            case nil: throw Unexpected(message: "nothing is due, and the debate is not over")
            }
        }
    }

    /// The machine and its clock.
    private struct Log {
        private static let receipt = ReceiptID(milliseconds: 0, random: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0])

        let observe: ((DebateEvent) -> Void)?
        private(set) var machine = DebateMachine()
        private(set) var count = 0

        init(observe: ((DebateEvent) -> Void)?) { self.observe = observe }

        mutating func append(_ event: DebateEvent) throws {
            observe?(event)
            count += 1
            try machine.take(event, at: Timestamp(milliseconds: Int64(count)))
        }

        mutating func end(_ outcome: DebateOutcome) throws {
            if outcome.needsReceipt {
                let summary = ReceiptSummary(
                    id: Self.receipt, verdict: outcome.verdict, confidence: outcome.confidence, checksum: "")
                try append(.receiptGenerated(summary))
            }
            try append(.debateEnd(outcome.debateEnd(at: Timestamp(milliseconds: Int64(count + 1)))))
        }
    }
}

/// What a debate amounts to at its end: everything the last events, the receipt and the status are made from.
package struct DebateOutcome: Hashable, Sendable {
    /// One agent of the panel and, if it dropped out, why.
    package struct Participant: Hashable, Sendable {
        package let agent: AgentSpec
        package let failure: AgentFailure?
    }

    /// Terminal.
    package let status: DebateStatus
    /// One sentence; nil for `completed`.
    package let reason: String?
    /// The decision; for a debate that was ended from outside, that of the last round whose votes are complete, if any.
    package let consensus: ConsensusResult?
    /// The votes that the decision was made from, in the panel's order.
    package let votes: [Vote]
    /// Who chose whom in the sealed ballots; voters that chose nobody are absent.
    package let ballots: [String: String]
    package let spec: DebateSpec
    package let engineVersion: EngineVersion
    package let startedAt: Timestamp
    /// Rounds that have begun.
    package let roundsUsed: Int
    /// What the consumed answers cost and used; failed and unknown attempts are in the calls' ledger only.
    package let usage: Usage
    /// Attempts whose runner lost the debate while they were in flight.
    package let unknownCalls: Int
    /// In the panel's order.
    package let participants: [Participant]
    /// Whether debating changed anything; nil when nobody voted, and for logs without sealed ballots.
    package let insight: DebateInsight?
    /// Who could not pay for the calls that were due; nil when it did not end for that.
    package internal(set) var refusal: BudgetRefusal?
    /// Earlier conclusions that the panel was shown, in the order of their labels.
    package let knowledge: [KnowledgeUse]
    package let isDemo: Bool
    /// Completed and timed-out debates have a receipt (design §2.5); false once it is in the log.
    package let needsReceipt: Bool

    /// The leading position; nil when nothing was voted on.
    package var result: String? { consensus.flatMap { $0.finalAnswer.isEmpty ? nil : $0.finalAnswer } }
    package var consensusReached: Bool { consensus?.reached ?? false }
    package var confidence: Ratio { consensus?.confidence ?? .zero }
    package var verdict: Verdict { Verdict(reached: consensusReached, confidence: confidence) }

    /// Whether the decision is worth telling later debates: reached, surely enough, and not asked to be forgotten.
    package var isKept: Bool {
        status == .completed && consensusReached && confidence >= RecalledConclusion.threshold && result != nil
            && spec.usesKnowledge
    }

    /// Seconds from event 1 to `at`; never negative.
    package func duration(at: Timestamp) -> Ratio {
        Ratio(tenThousandths: max(0, at.milliseconds - startedAt.milliseconds) * 10)
    }

    /// The last event of the debate.
    package func debateEnd(at: Timestamp) -> DebateEnd {
        DebateEnd(
            status: status, reason: reason, result: result, totalRounds: spec.rounds, roundsUsed: roundsUsed,
            consensusReached: consensusReached, confidence: confidence, duration: duration(at: at), cost: usage.cost,
            insight: insight)
    }
}

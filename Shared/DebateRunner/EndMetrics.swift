import Contracts
package import Domain
package import Platform

/// Counts a debate that ended, from its last events: the same whoever ended it.
///
/// The process whose transaction ended it counts it, once that commit is known: its runner, the api that cancelled it, or
/// the runner whose watchdog did. Nobody else can end it again, so it is counted once, or, when that process dies between
/// commit and count or never hears of its commit, not at all. Postgres knows the exact numbers.
package enum EndMetrics {
    /// Shows every counter of ends before the first one, so that a rate sees it.
    package static func declare(in metrics: Metrics) {
        metrics.declare(
            .debatesEnded, .debateDuration, .debatesCompleted, .consensusReached, .debateRounds, .budgetEnded,
            .convergence, .receipts, .eventsAppended, .knowledgeKept)
    }

    /// - Parameters:
    ///   - events: what was appended at the end, `debate_end` last.
    ///   - outcome: of a debate that its runner brought to its end; only these can be `completed`.
    package static func count(_ events: [SealedEvent], outcome: DebateOutcome? = nil, in metrics: Metrics) {
        metrics.add(.eventsAppended, by: Double(events.count))
        for sealed in events.suffix(2) {
            switch try? EventCodec.decode(sealed) {
            case .receiptGenerated(let receipt): metrics.add(.receipts, [receipt.verdict.rawValue])
            case .debateEnd(let end): count(end, in: metrics)
            default: break
            }
        }
        if let outcome, outcome.status == .completed { count(outcome, in: metrics) }
    }

    private static func count(_ outcome: DebateOutcome, in metrics: Metrics) {
        if outcome.consensusReached { metrics.add(.consensusReached) }
        if outcome.refusal != nil || outcome.spec.budget.map({ outcome.usage.cost >= $0 }) == true {
            metrics.add(.budgetEnded)
        }
        if let convergence = outcome.consensus?.convergence, convergence.state != .unknown {
            metrics.observe(.convergence, [], convergence.similarity.value)
        }
    }

    private static func count(_ end: DebateEnd, in metrics: Metrics) {
        let outcome = label(end)
        metrics.add(.debatesEnded, [outcome])
        metrics.observe(.debateDuration, [outcome], end.duration.value)
        metrics.add(.debateRounds, by: Double(end.roundsUsed))
        if end.status == .completed { metrics.add(.debatesCompleted) }
    }

    /// The closed set that dashboards and alerts know.
    static func label(_ end: DebateEnd) -> String {
        switch end.status {
        case .completed: end.consensusReached ? "consensus" : "no_consensus"
        case .cancelled: "cancelled"
        case .timeout: "timeout"
        default: "error"
        }
    }
}

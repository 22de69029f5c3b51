import Contracts
package import Domain
package import Platform

/// Counts a debate that ended, from its last events: the same whoever ended it.
package enum EndMetrics {
    /// - Parameter events: what was appended at the end, `debate_end` last.
    package static func count(_ events: [SealedEvent], in metrics: Metrics) {
        metrics.add(.eventsAppended, by: Double(events.count))
        for sealed in events.suffix(2) {
            switch try? EventCodec.decode(sealed) {
            case .receiptGenerated(let receipt): metrics.add(.receipts, [receipt.verdict.rawValue])
            case .debateEnd(let end): count(end, in: metrics)
            default: break
            }
        }
    }

    private static func count(_ end: DebateEnd, in metrics: Metrics) {
        let outcome = label(end)
        metrics.add(.debatesEnded, [outcome])
        metrics.observe(.debateDuration, [outcome], end.duration.value)
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

import Domain
import Platform

/// One debate that somebody watches here: its viewers and what is known of its log. On the hub's loop only.
final class DebateFeed {
    let debate: DebateID
    var subscriptions: [Subscription] = []
    /// The newest event we heard of, from any source.
    var knownSeq: Int64 = 0
    /// The newest epoch we heard of: deltas of older ones are a zombie's.
    var epoch: Int64 = 0
    /// The trace it belongs to, when its spans are recorded here.
    var trace: TraceContext?
    /// Joins everyone who waits for Redis to confirm the channel.
    var confirmation: Task<Bool, Never>?
    /// The one fill in progress, shared by all viewers with a gap.
    var fill: Task<Void, Never>?

    init(debate: DebateID) { self.debate = debate }

    var liveSubscriptions: [Subscription] { subscriptions.filter { $0.mode == .live && !$0.isEnded } }

    /// The first event that some live viewer lacks.
    var lowestNextSeq: Int64? { liveSubscriptions.map(\.cursor.nextSeq).min() }
}

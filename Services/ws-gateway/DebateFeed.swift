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
    /// Where it stands as this feed has followed it; nil until Postgres was asked after the channel was confirmed.
    var standing: FeedTail?
    /// Changes when the log turned out to be another one: an answer that was asked for before is not kept.
    var version = 0
    var recent = RecentEvents()
    /// Pages that are being read, by their first event.
    var reading: [Int64: Task<[FeedEntry], any Error>] = [:]
    /// What is told at once to those who asked for it so, and what is being made for them.
    var snapshots: [Snapshot.Key: Snapshot] = [:]
    var making: [Snapshot.Key: Task<Snapshot, any Error>] = [:]
    /// Joins everyone who waits for Redis to confirm the channel.
    var confirmation: Task<Bool, Never>?
    /// The one fill in progress, shared by all viewers with a gap.
    var fill: Task<Void, Never>?

    init(debate: DebateID) { self.debate = debate }

    var liveSubscriptions: [Subscription] { subscriptions.filter(\.isLive) }

    /// The first event that some live viewer lacks.
    var lowestNextSeq: Int64? {
        var lowest: Int64?
        for subscription in subscriptions where subscription.isLive {
            if subscription.cursor.nextSeq < lowest ?? .max { lowest = subscription.cursor.nextSeq }
        }
        return lowest
    }

    /// What Postgres says, unless this feed has followed the log further meanwhile.
    func adopt(_ found: FeedTail) {
        guard var known = standing, known.tail.seq > found.tail.seq else { return standing = found }
        known.status = found.status
        standing = known
    }

    /// Moves on when this is the next event of the log that it knows. - Returns: whether it was.
    func follow(_ entry: FeedEntry) -> Bool {
        guard let tail = standing?.tail, entry.seq == tail.seq + 1, entry.prevHash == tail.hash else { return false }
        standing?.tail = LogTail(seq: entry.seq, hash: entry.hash)
        return true
    }

    /// The same event, its link being the very bytes that its viewers hold: comparing those costs nothing.
    func linked(_ entry: FeedEntry) -> FeedEntry {
        guard let tail = standing?.tail, entry.prevHash == tail.hash else { return entry }
        return entry.linked(to: tail.hash)
    }
}

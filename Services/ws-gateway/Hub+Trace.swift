import Domain
import Platform

/// What a gateway adds to a debate's trace: what it replays, and each event that it shows live.
extension Hub {
    /// The feed is of this debate, as Postgres knows it.
    func note(_ found: FeedTail, of feed: DebateFeed) {
        guard tracer.isOn, feed.trace == nil else { return }
        feed.trace = TraceContext(traceparent: found.traceparent)
    }

    func beginReplay(of feed: DebateFeed, from seq: Int64, count: Int64) -> Span? {
        tracer.begin(
            "debate replay", .internal, after: feed.trace,
            [
                .init("aragora.debate.id", feed.debate.text), .init("aragora.event.seq", seq),
                .init("aragora.event.count", count),
            ])
    }

    /// Shows an event to everyone who watches live.
    func show(_ entry: FeedEntry, _ feed: DebateFeed) {
        let span = beginDelivery(of: entry, feed)
        for subscription in feed.subscriptions where subscription.isLive { _ = deliver(entry, to: subscription) }
        tracer.end(span)
    }

    /// Linked to the span of whoever appended the event, which its hash names.
    private func beginDelivery(of entry: FeedEntry, _ feed: DebateFeed) -> Span? {
        guard tracer.isOn else { return nil }
        let viewers = feed.subscriptions.count(where: \.isLive)
        guard viewers > 0 else { return nil }
        var span = tracer.begin(
            "event delivered", .consumer, after: feed.trace,
            [
                .init("aragora.debate.id", feed.debate.text), .init("aragora.event.seq", entry.seq),
                .init("aragora.viewers", viewers),
            ])
        if let trace = feed.trace { span?.links = [trace.after(hash: entry.hash)] }
        return span
    }
}

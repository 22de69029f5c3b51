import Contracts
import Domain
import HTTP
import Platform
import Sockets

/// What is there in as few messages as may be, for those who ask for it so: made once where the log stands, and shared.
extension Hub {
    /// Bytes of snapshots that all feeds of a loop keep; what compressed forms add comes on top.
    static let snapshotBytesOfLoop = 8 << 20

    /// Tells a viewer everything from its next event to the newest, then goes on live.
    func sendSnapshot(to subscription: Subscription, _ feed: DebateFeed, _ found: LogTail) async throws {
        let client = subscription.client
        let span = beginReplay(
            of: feed, from: subscription.cursor.nextSeq, count: max(0, found.seq - subscription.lastSeq))
        defer { tracer.end(span, failure: subscription.mode == .live ? nil : "interrupted") }
        while true {
            let key = Snapshot.Key(
                fromSeq: subscription.cursor.nextSeq, isLink: client.link != nil, isArray: client.wishes.arrays)
            let snapshot: Snapshot
            do { snapshot = try await self.snapshot(of: feed, key, found) } catch is SnapshotDraft.Unknown {
                return client.close(.internalError)
            }
            if !client.hasRoom(for: snapshot.bytes) { await waitForRoom(client, for: snapshot.bytes) }
            guard !subscription.isEnded, !Task.isCancelled else { throw CancellationError() }
            guard deliver(snapshot, to: subscription) else { return }
            if snapshot.isComplete { return goLive(subscription, feed) }
        }
    }

    /// - Returns: false when the viewer is gone, or starts over.
    private func deliver(_ snapshot: Snapshot, to subscription: Subscription) -> Bool {
        let message = snapshot.message
        guard subscription.cursor.step(seq: message.fromSeq, prevHash: message.prevHash) == .send else {
            if let feed = feeds[subscription.debate] { reset(subscription, feed) }
            return false
        }
        guard case .queued = subscription.client.sendSnapshot(snapshot.frame, lastSeq: subscription.lastSeq) else {
            leaveAlone(subscription.client)
            return false
        }
        subscription.cursor.advance(past: message.toSeq, hash: message.hash)
        tally.framesSent += 1
        return true
    }

    /// The one that is kept, the one that is being made, or a new one.
    private func snapshot(of feed: DebateFeed, _ key: Snapshot.Key, _ found: LogTail) async throws -> Snapshot {
        let tail = feed.standing?.tail ?? found
        if let kept = feed.snapshots[key], kept.holds(for: tail) {
            metrics.add(.gatewayFills, ["snapshot"])
            return kept
        }
        if let making = feed.making[key] { return try await making.value }
        let box = Unchecked(feed)
        let version = feed.version
        // Shared by everyone who asks before it has ended; nobody's leaving ends it.
        let making = Task(executorPreference: loop) { [self] in try await make(box.value, key, tail) }
        feed.making[key] = making
        defer { if feed.version == version { feed.making[key] = nil } }
        let snapshot = try await making.value
        if feed.version == version { keep(snapshot, key, in: feed) }
        return snapshot
    }

    private func make(_ feed: DebateFeed, _ key: Snapshot.Key, _ tail: LogTail) async throws -> Snapshot {
        if key.isArray {
            let plain = Snapshot.Key(fromSeq: key.fromSeq, isLink: key.isLink, isArray: false)
            return try await snapshot(of: feed, plain, tail).inArray
        }
        var draft = SnapshotDraft(feed.debate, key, tail)
        while draft.nextSeq <= tail.seq {
            guard try draft.add(try await page(feed, from: draft.nextSeq, tail)) else { break }
        }
        return try draft.finish()
    }

    // MARK: What is kept

    private func keep(_ snapshot: Snapshot, _ key: Snapshot.Key, in feed: DebateFeed) {
        guard feeds[feed.debate] === feed else { return }
        snapshotBytes += snapshot.bytes - (feed.snapshots[key]?.bytes ?? 0)
        feed.snapshots[key] = snapshot
        guard snapshotBytes > Self.snapshotBytesOfLoop else { return }
        for other in feeds.values where other !== feed && snapshotBytes > Self.snapshotBytesOfLoop / 2 {
            dropSnapshots(of: other)
        }
        if snapshotBytes > Self.snapshotBytesOfLoop { dropSnapshots(of: feed) { $0.message.fromSeq == key.fromSeq } }
    }

    /// Those that `isDue` says, of a feed that is in use.
    func dropSnapshots(of feed: DebateFeed, where isDue: (Snapshot) -> Bool = { _ in true }) {
        for (key, snapshot) in feed.snapshots where isDue(snapshot) {
            feed.snapshots[key] = nil
            snapshotBytes -= snapshot.bytes
        }
    }
}

import Contracts
import Domain
import HTTP
import Platform
import ServiceKit
import Sockets

/// Who watches what on one loop: takes live entries, fills gaps from the log, and never lets a viewer see a hole.
///
/// Everything here runs on one loop, so a step between two `await`s is atomic; after each `await` what was read before
/// is looked at again.
actor Hub {
    /// Debates that one socket may watch.
    static let maxSubscriptionsPerClient = 64
    /// Events read from the log at a time.
    static let pageSize = 128
    /// Debates compared with Postgres in one query.
    static let pollBatch = 2000
    static let pollWhileLive = Duration.seconds(2)
    /// How often revocations are looked at; they must hold within two seconds.
    static let revocationInterval = Duration.milliseconds(500)
    static let pollWithoutRedis = Duration.milliseconds(250)
    static let heartbeatInterval = Duration.seconds(15)

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let source: any LogSource
    let live: any LiveSource
    private let metrics: Metrics
    private let log: Log
    let tracer: Tracer
    let revocations: RevocationSet
    var seenRevocations = 0
    private var feeds: [DebateID: DebateFeed] = [:]
    private(set) var clients: [ObjectIdentifier: ClientSession] = [:]

    init(
        loop: EventLoop, source: any LogSource, live: any LiveSource, revocations: RevocationSet, metrics: Metrics,
        log: Log, tracer: Tracer = .disabled
    ) {
        self.loop = loop
        self.revocations = revocations
        self.source = source
        self.live = live
        self.metrics = metrics
        self.log = log
        self.tracer = tracer
    }

    // MARK: Clients

    func add(_ client: ClientSession) {
        clients[ObjectIdentifier(client)] = client
        metrics.add(.websocketConnections)
    }

    func remove(_ client: ClientSession) {
        guard clients.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        metrics.add(.websocketConnections, by: -1)
        for subscription in client.subscriptions.values { end(subscription) }
        client.subscriptions = [:]
    }

    /// Begins to show a debate to a client: confirm the channel, read where the log stands, replay, then live.
    func subscribe(_ client: ClientSession, _ request: ClientMessage.Subscription) {
        let debate = request.debateID
        if let present = client.subscriptions[debate] {
            // The official client subscribes again to what its URL named: that must not repeat the events.
            guard request.replayFromSeq != nil else { return confirmAgain(present) }
            end(present)
        } else if client.subscriptions.count >= Self.maxSubscriptionsPerClient {
            return client.send(
                .warning(
                    .tooManySubscriptions, message: "at most \(Self.maxSubscriptionsPerClient) debates a connection",
                    debateID: debate))
        }
        let subscription = Subscription(debate: debate, client: client, from: request.replayFromSeq ?? 1)
        client.subscriptions[debate] = subscription
        let feed = feed(of: debate)
        feed.subscriptions.append(subscription)
        startReplay(subscription, feed, after: request.afterHash)
    }

    /// Answers a second subscribe with what the log says now.
    private func confirmAgain(_ subscription: Subscription) {
        guard subscription.isConfirmed else { return subscription.confirmationsOwed += 1 }
        let box = Unchecked(subscription)
        // Owned by nobody: one query with the pool's deadline, whose answer nobody may want any more.
        Task(executorPreference: loop) { [self] in await sendStanding(box.value) }
    }

    private func sendStanding(_ subscription: Subscription) async {
        do {
            guard let found = try await source.tail(of: subscription.debate), !subscription.isEnded else { return }
            subscription.client.send(
                .subscribed(
                    subscription.debate, latestSeq: found.tail.seq, status: found.status.clientText))
        } catch {
            log.warning("standing not read", .debateID(subscription.debate.text), .error(error))
        }
    }

    /// The first answer, and one for each subscribe that came while the log was being asked.
    private func confirm(_ subscription: Subscription, _ found: FeedTail) {
        subscription.isConfirmed = true
        for _ in 0...subscription.confirmationsOwed {
            subscription.client.send(
                .subscribed(
                    subscription.debate, latestSeq: found.tail.seq, status: found.status.clientText))
        }
    }

    func unsubscribe(_ client: ClientSession, _ debate: DebateID) {
        if let subscription = client.subscriptions.removeValue(forKey: debate) { end(subscription) }
        client.send(.unsubscribed(debate))
    }

    private func end(_ subscription: Subscription) {
        subscription.isEnded = true
        subscription.replay?.cancel()
        guard let feed = feeds[subscription.debate] else { return }
        feed.subscriptions.removeAll { $0 === subscription }
        guard feed.subscriptions.isEmpty else { return }
        feeds[feed.debate] = nil
        feed.fill?.cancel()
        metrics.add(.gatewayWatched, by: -1)
        // Awaited by nobody: an extra message of a channel nobody watches is dropped on arrival.
        let debate = feed.debate
        Task(executorPreference: loop) { await self.leave(debate) }
    }

    private func leave(_ debate: DebateID) async {
        guard feeds[debate] == nil else { return }
        await live.unsubscribe(debate)
        // Somebody may have come while Redis answered; their channel must stand.
        if let feed = feeds[debate] { feed.confirmation = confirm(debate) }
    }

    private func feed(of debate: DebateID) -> DebateFeed {
        if let feed = feeds[debate] { return feed }
        let feed = DebateFeed(debate: debate)
        feeds[debate] = feed
        feed.confirmation = confirm(debate)
        metrics.add(.gatewayWatched)
        return feed
    }

    private func confirm(_ debate: DebateID) -> Task<Bool, Never> {
        Task(executorPreference: loop) { [live] in await live.subscribe(debate) }
    }

    // MARK: Replay

    private func startReplay(_ subscription: Subscription, _ feed: DebateFeed, after hash: [UInt8]?) {
        subscription.mode = .replaying
        subscription.replay?.cancel()
        let box = Unchecked(subscription)
        let feedBox = Unchecked(feed)
        // Owned by the subscription; ending it cancels this.
        subscription.replay = Task(executorPreference: loop) { [self] in
            await replay(box.value, feedBox.value, after: hash)
        }
    }

    private func replay(_ subscription: Subscription, _ feed: DebateFeed, after hash: [UInt8]?) async {
        _ = await feed.confirmation?.value
        do {
            // Somebody else's debate is answered like one that is not there.
            guard let found = try await source.tail(of: feed.debate),
                subscription.client.principal.reach.covers(found.organization)
            else {
                return refuse(subscription, .debateNotFound, "there is no debate \(feed.debate)")
            }
            guard !subscription.isEnded else { return }
            feed.knownSeq = max(feed.knownSeq, found.tail.seq)
            note(found, of: feed)
            if !subscription.isConfirmed { confirm(subscription, found) }
            try await resume(subscription, after: hash, found.tail)
            try await replay(subscription, feed, to: found.tail)
        } catch is CancellationError {
            return
        } catch is LogRemoved {
            refuse(
                subscription, .eventsExpired, "the events of \(feed.debate) were removed: their retention has passed")
        } catch {
            log.warning("replay failed", .debateID(feed.debate.text), .error(error))
            retry(subscription, feed)
        }
    }

    /// Finds the hash of the event before the first one to send; a client whose past is another one begins anew.
    private func resume(_ subscription: Subscription, after hash: [UInt8]?, _ tail: LogTail) async throws {
        let from = subscription.cursor.nextSeq
        guard from > 1 else { return }
        let before =
            from - 1 <= tail.seq
            ? try await source.entries(of: subscription.debate, from: from - 1, limit: 1).first : nil
        guard !subscription.isEnded, !Task.isCancelled else { throw CancellationError() }
        if let before, hash == nil || before.hash == hash {
            subscription.cursor = FeedCursor(nextSeq: from, lastHash: before.hash)
        } else {
            subscription.beginAnew()
        }
    }

    private func replay(_ subscription: Subscription, _ feed: DebateFeed, to tail: LogTail) async throws {
        let from = subscription.cursor.nextSeq
        let count = max(0, tail.seq - from + 1)
        let span = beginReplay(of: feed, from: from, count: count)
        defer { tracer.end(span, failure: subscription.mode == .live ? nil : "interrupted") }
        subscription.client.send(.replayStart(feed.debate, fromSeq: from, eventCount: count, latestSeq: tail.seq))
        while subscription.cursor.nextSeq <= tail.seq {
            let page = try await page(feed.debate, from: subscription.cursor.nextSeq, tail)
            for entry in page where entry.seq <= tail.seq {
                await subscription.client.waitForRoom()
                guard !subscription.isEnded, !Task.isCancelled else { throw CancellationError() }
                guard deliver(entry, to: subscription) else { return }
            }
        }
        subscription.client.send(.replayEnd(feed.debate, replayedCount: count, latestSeq: subscription.lastSeq))
        subscription.mode = .live
        subscription.replay = nil
        fillIfNeeded(feed)
    }

    /// A page from the cache when it proves itself by reaching the log's hash, else from Postgres.
    private func page(_ debate: DebateID, from seq: Int64, _ tail: LogTail) async throws -> [FeedEntry] {
        let cached = await live.cached(debate, from: seq, limit: Self.pageSize)
        if FeedEntry.isContiguous(cached, from: seq, reaching: tail),
            cached.contains(where: { $0.seq == tail.seq && $0.hash == tail.hash })
        {
            metrics.add(.gatewayFills, ["redis"])
            return cached
        }
        metrics.add(.gatewayFills, ["postgres"])
        let entries = try await source.entries(of: debate, from: seq, limit: Self.pageSize)
        guard entries.first?.seq == seq else { throw LogGap(debate: debate, seq: seq) }
        return entries
    }

    private func refuse(_ subscription: Subscription, _ code: ErrorCode, _ message: String) {
        guard !subscription.isEnded else { return }
        subscription.client.send(.error(code, message: message, debateID: subscription.debate))
        subscription.client.subscriptions[subscription.debate] = nil
        end(subscription)
    }

    /// Postgres did not answer: the viewer stays subscribed, and its replay is begun again where it was.
    private func retry(_ subscription: Subscription, _ feed: DebateFeed) {
        guard !subscription.isEnded else { return }
        let box = Unchecked(subscription)
        let feedBox = Unchecked(feed)
        subscription.replay = Task(executorPreference: loop) { [self] in
            guard (try? await loop.sleep(for: .seconds(1))) != nil else { return }
            await again(box.value, feedBox.value)
        }
    }

    private func again(_ subscription: Subscription, _ feed: DebateFeed) {
        guard !subscription.isEnded else { return }
        startReplay(subscription, feed, after: subscription.cursor.lastHash)
    }

    // MARK: Live

    /// What Redis brought, by its header alone: the envelope is passed on unread.
    func received(_ entry: PublishedEntry, _ debate: DebateID) {
        switch entry.kind {
        case .event: receivedEvent(FeedEntry(entry), debate)
        case .token: receivedToken(seq: entry.seq, epoch: entry.epoch, frame: .text(entry.envelope), debate)
        case .reset: receivedReset(debate)
        }
    }

    private func receivedEvent(_ entry: FeedEntry, _ debate: DebateID) {
        guard let feed = feeds[debate] else { return }
        feed.knownSeq = max(feed.knownSeq, entry.seq)
        feed.epoch = max(feed.epoch, entry.epoch)
        show(entry, feed)
        fillIfNeeded(feed)
    }

    /// A piece of an answer; `seq` is the newest event its writer knew.
    private func receivedToken(seq: Int64, epoch: Int64, frame: Frame, _ debate: DebateID) {
        guard let feed = feeds[debate], epoch >= feed.epoch else { return }
        feed.epoch = epoch
        for subscription in feed.liveSubscriptions where subscription.lastSeq <= seq {
            subscription.client.sendDroppable(frame)
        }
    }

    /// The log was replaced: everyone reads it again.
    private func receivedReset(_ debate: DebateID) {
        guard let feed = feeds[debate] else { return }
        for subscription in feed.subscriptions { reset(subscription, feed) }
    }

    /// Subscriptions stand again after a lost connection: whatever was missed is in Postgres.
    func resubscribed() async { await compareWithPostgres() }

    /// - Returns: false when the viewer is gone, or starts over.
    func deliver(_ entry: FeedEntry, to subscription: Subscription) -> Bool {
        switch subscription.cursor.step(seq: entry.seq, prevHash: entry.prevHash) {
        case .drop, .fill: return true
        case .reset:
            if let feed = feeds[subscription.debate] { reset(subscription, feed) }
            return false
        case .send:
            switch subscription.client.sendEvent(entry.frame, lastSeq: subscription.lastSeq) {
            case .queued:
                subscription.cursor.advance(past: entry.seq, hash: entry.hash)
                metrics.add(.websocketFramesSent)
                return true
            case .full:
                metrics.add(.websocketSlowClosed)
                remove(subscription.client)
                return false
            case .closed:
                // Its close handshake may take seconds, in which a viewer that takes nothing would be filled for ever.
                remove(subscription.client)
                return false
            }
        }
    }

    private func reset(_ subscription: Subscription, _ feed: DebateFeed) {
        guard !subscription.isEnded else { return }
        subscription.beginAnew()
        startReplay(subscription, feed, after: nil)
    }

    // MARK: Gaps

    private func fillIfNeeded(_ feed: DebateFeed) {
        guard feed.fill == nil, let low = feed.lowestNextSeq, low <= feed.knownSeq else { return }
        let box = Unchecked(feed)
        // Owned by the feed; it ends with it.
        feed.fill = Task(executorPreference: loop) { [self] in await fill(box.value) }
    }

    private func fill(_ feed: DebateFeed) async {
        defer { feed.fill = nil }
        while let low = feed.lowestNextSeq, low <= feed.knownSeq, !Task.isCancelled {
            do {
                metrics.add(.gatewayFills, ["gap"])
                let entries = try await source.entries(of: feed.debate, from: low, limit: Self.pageSize)
                guard entries.first?.seq == low else {
                    // Redis spoke of an event that Postgres does not have: believe Postgres, the next poll compares.
                    feed.knownSeq = low - 1
                    return
                }
                for entry in entries { show(entry, feed) }
            } catch {
                log.warning("fill failed", .debateID(feed.debate.text), .error(error))
                return  // the next poll tries again
            }
        }
    }

    // MARK: Comparing

    func compareWithPostgres() async {
        let ids = Array(feeds.keys)
        for start in stride(from: 0, to: ids.count, by: Self.pollBatch) {
            let batch = Array(ids[start..<min(start + Self.pollBatch, ids.count)])
            // What was sent before the query began must be in its answer; what is sent meanwhile need not be.
            var cursors: [ObjectIdentifier: FeedCursor] = [:]
            for id in batch {
                for subscription in feeds[id]?.liveSubscriptions ?? [] {
                    cursors[ObjectIdentifier(subscription)] = subscription.cursor
                }
            }
            do {
                for (id, found) in try await source.newest(of: batch) { compare(id, found, cursors) }
            } catch {
                log.warning("poll failed", .error(error))
                return
            }
        }
    }

    private func compare(_ id: DebateID, _ found: FeedTail, _ cursors: [ObjectIdentifier: FeedCursor]) {
        guard let feed = feeds[id] else { return }
        feed.knownSeq = max(feed.knownSeq, found.tail.seq)
        for subscription in feed.liveSubscriptions {
            guard let before = cursors[ObjectIdentifier(subscription)],
                before.contradicts(tailSeq: found.tail.seq, tailHash: found.tail.hash)
            else { continue }
            feed.knownSeq = found.tail.seq
            reset(subscription, feed)
        }
        fillIfNeeded(feed)
    }
}

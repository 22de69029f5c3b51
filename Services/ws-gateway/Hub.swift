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
    let source: any LogSource
    let live: any LiveSource
    let metrics: Metrics
    let log: Log
    let links: any LinkSource
    let tracer: Tracer
    let revocations: RevocationSet
    var seenRevocations = 0
    var feeds: [DebateID: DebateFeed] = [:]
    var questions = Questions()
    /// Bytes of all that feeds keep for those who come late.
    var recentBytes = 0
    /// Bytes of all snapshots that feeds keep.
    var snapshotBytes = 0
    var arrays = SharedArrays()
    var tally = Tally()
    private(set) var clients: [ObjectIdentifier: ClientSession] = [:]

    init(
        loop: EventLoop, source: any LogSource, live: any LiveSource, links: any LinkSource,
        revocations: RevocationSet, metrics: Metrics, log: Log, tracer: Tracer = .disabled
    ) {
        self.links = links
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
            guard request.replayFromSeq != nil || request.snapshot == true else { return confirmAgain(present) }
            end(present)
        } else if client.subscriptions.count >= Self.maxSubscriptionsPerClient {
            return client.send(
                .warning(
                    .tooManySubscriptions, message: "at most \(Self.maxSubscriptionsPerClient) debates a connection",
                    debateID: debate))
        }
        let subscription = Subscription(
            debate: debate, client: client, from: request.replayFromSeq ?? 1,
            wantsSnapshot: request.snapshot ?? client.wishes.snapshot)
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
        guard let feed = feeds[subscription.debate] else { return }
        do {
            guard let found = try await ask(feed), !subscription.isEnded else { return }
            subscription.tell(found)
        } catch {
            log.warning("standing not read", .debateID(subscription.debate.text), .error(error))
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
        recentBytes -= feed.recent.bytes
        dropSnapshots(of: feed)
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
        if let feed = feeds[debate] {
            feed.confirmation = confirm(debate)
            feed.standing = nil
        }
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
            guard let found = try await standing(of: feed, atLeast: subscription.lastSeq),
                subscription.client.principal.reach.covers(found.organization)
            else {
                return refuse(subscription, .debateNotFound, "there is no debate \(feed.debate)")
            }
            guard !subscription.isEnded else { return }
            feed.knownSeq = max(feed.knownSeq, found.tail.seq)
            note(found, of: feed)
            if !subscription.isConfirmed { subscription.confirm(found) }
            try await resume(subscription, feed, after: hash, found.tail)
            if subscription.wantsSnapshot {
                try await sendSnapshot(to: subscription, feed, found.tail)
            } else {
                try await replay(subscription, feed, to: found.tail)
            }
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

    /// Finds the hash of the event before the first one to send, which that one names; a client whose past is another one
    /// begins anew.
    private func resume(
        _ subscription: Subscription, _ feed: DebateFeed, after hash: [UInt8]?, _ tail: LogTail
    ) async throws {
        let from = subscription.cursor.nextSeq
        guard from > 1 else { return }
        var before: [UInt8]?
        if from - 1 == tail.seq { before = tail.hash }
        if from <= tail.seq { before = try await page(feed, from: from, tail).first?.prevHash }
        guard !subscription.isEnded, !Task.isCancelled else { throw CancellationError() }
        if let before, hash == nil || before == hash {
            subscription.cursor = FeedCursor(nextSeq: from, lastHash: before)
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
            let page = try await page(feed, from: subscription.cursor.nextSeq, tail)
            for entry in page where entry.seq <= tail.seq {
                if subscription.client.isBehind { await waitForRoom(subscription.client) }
                guard !subscription.isEnded, !Task.isCancelled else { throw CancellationError() }
                guard deliver(entry, to: subscription) else { return }
            }
        }
        subscription.client.send(.replayEnd(feed.debate, replayedCount: count, latestSeq: subscription.lastSeq))
        goLive(subscription, feed)
    }

    /// It has what was there: from now on it gets what comes, and what came meanwhile.
    func goLive(_ subscription: Subscription, _ feed: DebateFeed) {
        subscription.mode = .live
        subscription.replay = nil
        fillIfNeeded(feed)
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
        let entry = feed.linked(entry)
        if follow(entry, feed) { keep([entry], in: feed) }
        show(entry, feed)
        fillIfNeeded(feed)
    }

    /// A piece of an answer; `seq` is the newest event its writer knew.
    private func receivedToken(seq: Int64, epoch: Int64, frame: Frame, _ debate: DebateID) {
        guard let feed = feeds[debate], epoch >= feed.epoch else { return }
        feed.epoch = epoch
        for subscription in feed.subscriptions where subscription.isLive && subscription.lastSeq <= seq {
            if !subscription.client.sendDroppable(frame) { tally.tokensShed += 1 }
        }
    }

    /// The log was replaced: everyone reads it again.
    private func receivedReset(_ debate: DebateID) {
        guard let feed = feeds[debate] else { return }
        for subscription in feed.subscriptions { reset(subscription, feed) }
    }

    /// A connection ends, and why; told once, when that is decided.
    func closing(_ reason: CloseReason) {
        metrics.add(.websocketCloses, [reason.rawValue])
        if reason == .slow { metrics.add(.websocketSlowClosed) }
    }

    /// - Parameter bytes: what is to be sent, when it is much.
    func waitForRoom(_ client: ClientSession, for bytes: Int = 0) async {
        metrics.add(.gatewayWaiting)
        await client.waitForRoom(for: bytes)
        metrics.add(.gatewayWaiting, by: -1)
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
            switch subscription.client.sendEvent(entry, lastSeq: subscription.lastSeq) {
            case .queued:
                subscription.cursor.advance(past: entry.seq, hash: entry.hash)
                tally.framesSent += 1
                return true
            case .full, .closed:
                leaveAlone(subscription.client)
                return false
            }
        }
    }

    /// Its close handshake may take seconds, in which a viewer that takes nothing would be filled for ever.
    func leaveAlone(_ client: ClientSession) { remove(client) }

    func reset(_ subscription: Subscription, _ feed: DebateFeed) {
        guard !subscription.isEnded else { return }
        forget(feed)
        subscription.beginAnew()
        startReplay(subscription, feed, after: nil)
    }
}

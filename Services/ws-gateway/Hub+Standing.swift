import Domain
import Platform
import Sockets

/// What viewers of one debate ask the stores, so that many ask no more than one does: where the log stands, its pages, and
/// the newest events, which are kept for those who come next.
extension Hub {
    /// Questions about the log, several in one query.
    struct Questions {
        /// Queries at a time; what is asked meanwhile goes into the next one.
        static let maxRunning = 4

        var waiting: [DebateID: [CheckedContinuation<FeedTail?, any Error>]] = [:]
        /// Of those, the ones that no query asks for yet.
        var unasked: [DebateID] = []
        var running = 0
    }

    /// Bytes of events that one feed, and that all feeds of a loop, keep for those who come late.
    static let recentBytesOfFeed = 128 * 1024
    static let recentBytesOfLoop = 8 << 20

    /// Where a debate stands, read after its channel was confirmed; nil when there is none.
    ///
    /// From then on its feed follows it, as every viewer does: later ones ask nobody. What they are told of its status
    /// may be as old as the last comparison with Postgres.
    func standing(of feed: DebateFeed) async throws -> FeedTail? {
        _ = await feed.confirmation?.value
        if let known = feed.standing { return known }
        return try await ask(feed)
    }

    /// The same for a viewer that has events up to `seq`: from a gateway that heard of them before this one did. That the
    /// log is another one, only an answer of Postgres can say that was asked for after the viewer came.
    func standing(of feed: DebateFeed, atLeast seq: Int64) async throws -> FeedTail? {
        var found = try await standing(of: feed)
        // The first answer may belong to a question that was on its way already.
        for _ in 0..<2 {
            guard let known = found, known.tail.seq < seq else { break }
            found = try await ask(feed)
        }
        return found
    }

    /// What Postgres says now, to all who ask before it has answered.
    func ask(_ feed: DebateFeed) async throws -> FeedTail? {
        let version = feed.version
        let found = try await withCheckedThrowingContinuation { continuation in
            if questions.waiting[feed.debate] == nil { questions.unasked.append(feed.debate) }
            questions.waiting[feed.debate, default: []].append(continuation)
            askMore()
        }
        if let found, feed.version == version { feed.adopt(found) }
        return found
    }

    private func askMore() {
        guard questions.running < Questions.maxRunning, !questions.unasked.isEmpty else { return }
        let batch = Array(questions.unasked.prefix(Self.pollBatch))
        questions.unasked.removeFirst(batch.count)
        questions.running += 1
        // Owned by those who wait for it; one query with the pool's deadline.
        Task(executorPreference: loop) { [self] in await ask(batch) }
    }

    private func ask(_ batch: [DebateID]) async {
        let answer: Result<[DebateID: FeedTail], any Error>
        do {
            answer = .success(
                batch.count == 1
                    ? try await source.tail(of: batch[0]).map { [batch[0]: $0] } ?? [:]
                    : try await source.newest(of: batch))
        } catch {
            answer = .failure(error)
        }
        questions.running -= 1
        for debate in batch {
            for waiter in questions.waiting.removeValue(forKey: debate) ?? [] {
                waiter.resume(with: answer.map { $0[debate] })
            }
        }
        askMore()
    }

    // MARK: Pages

    /// Events from `seq` on, at least one: those kept, else a page that is read once for all who ask for it meanwhile.
    func page(_ feed: DebateFeed, from seq: Int64, _ tail: LogTail) async throws -> [FeedEntry] {
        let known = feed.recent.page(from: seq, limit: Self.pageSize, reaching: tail)
        guard known.isEmpty else {
            metrics.add(.gatewayFills, ["memory"])
            return known
        }
        if let reading = feed.reading[seq] { return try await reading.value }
        let debate = feed.debate
        let version = feed.version
        // Shared by everyone who asks before it has ended; nobody's leaving ends it.
        let reading = Task(executorPreference: loop) { [self] in try await read(debate, from: seq, tail) }
        feed.reading[seq] = reading
        defer { feed.reading[seq] = nil }
        let page = try await reading.value
        if feed.version == version { keep(page, in: feed) }
        return page
    }

    /// A page from the cache when it proves itself by reaching the log's hash, else from Postgres.
    private func read(_ debate: DebateID, from seq: Int64, _ tail: LogTail) async throws -> [FeedEntry] {
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

    // MARK: What is kept

    func keep(_ entries: [FeedEntry], in feed: DebateFeed) {
        guard feeds[feed.debate] === feed else { return }
        recentBytes -= feed.recent.bytes
        feed.recent.add(entries, limitBytes: Self.recentBytesOfFeed)
        recentBytes += feed.recent.bytes
        guard recentBytes > Self.recentBytesOfLoop else { return }
        for other in feeds.values where other !== feed && recentBytes > Self.recentBytesOfLoop / 2 {
            recentBytes -= other.recent.bytes
            other.recent = RecentEvents()
        }
    }

    /// The feed goes on to the next event that it knows, and whoever comes now is told of that one too.
    func follow(_ entry: FeedEntry, _ feed: DebateFeed) -> Bool {
        guard feed.follow(entry) else { return false }
        if !feed.snapshots.isEmpty { dropSnapshots(of: feed) { $0.isComplete } }
        return true
    }

    /// The log is not the one we knew: nothing of it is told to anyone again.
    func forget(_ feed: DebateFeed) {
        if feeds[feed.debate] === feed { recentBytes -= feed.recent.bytes }
        feed.recent = RecentEvents()
        dropSnapshots(of: feed)
        feed.making = [:]
        feed.standing = nil
        feed.version += 1
    }

    // MARK: Gaps

    func fillIfNeeded(_ feed: DebateFeed) {
        guard feed.fill == nil, let low = feed.lowestNextSeq, low <= feed.knownSeq else { return }
        let box = Unchecked(feed)
        // Owned by the feed; it ends with it.
        feed.fill = Task(executorPreference: loop) { [self] in await fill(box.value) }
    }

    private func fill(_ feed: DebateFeed) async {
        defer { feed.fill = nil }
        while let low = feed.lowestNextSeq, low <= feed.knownSeq, !Task.isCancelled {
            do {
                let entries = try await missed(feed, from: low)
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

    private func missed(_ feed: DebateFeed, from seq: Int64) async throws -> [FeedEntry] {
        if let tail = feed.standing?.tail {
            let known = feed.recent.page(from: seq, limit: Self.pageSize, reaching: tail)
            if !known.isEmpty { return known }
        }
        metrics.add(.gatewayFills, ["gap"])
        let version = feed.version
        let entries = try await source.entries(of: feed.debate, from: seq, limit: Self.pageSize)
        if feed.version == version {
            for entry in entries { _ = follow(entry, feed) }
            keep(entries, in: feed)
        }
        return entries
    }
}

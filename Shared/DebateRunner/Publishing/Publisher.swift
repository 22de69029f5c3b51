package import Contracts
package import Domain
import Messaging
import Platform
import RedisClient
import Sockets

/// Copies committed events to Redis, one cursor per debate, behind the runs' backs (design §2.6).
///
/// One per process. A run only leaves a note; what is missing is read from Postgres. Without Redis everything goes on: the
/// process says that it is degraded, and a cursor goes on from where the cache turns out to end.
actor Publisher: RunPublisher {
    /// Live pieces on their way to Redis; more are dropped.
    static let maxLive = 512
    /// How long a debate that has ended is kept for when Redis comes back; viewers read Postgres meanwhile.
    static let patience: Duration = .seconds(60)

    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let stream: @Sendable () -> EventStream?
    private let log: any EventLog
    private let logger: Log
    private let metrics: Metrics
    private var cursors: [DebateID: PublishCursor] = [:]
    private var changed: Set<DebateID> = []
    private var busy: Set<DebateID> = []
    private var live: [(debate: DebateID, entry: PublishedEntry)] = []
    private var liveInFlight = 0
    private var isUp = true
    private var backoff = Backoff(first: .milliseconds(100), cap: .seconds(2))
    /// Stops when nothing is left to publish.
    private var isFinishing = false
    private var isStopping = false
    private var isRunning = false
    private var finishWaiters: [CheckedContinuation<Void, Never>] = []
    private var waiter: CheckedContinuation<Void, Never>?

    /// - Parameter stream: the cache under the present keyspace; nil while there is none.
    init(
        loop: EventLoop, stream: @escaping @Sendable () -> EventStream?, log: any EventLog, logger: Log,
        metrics: Metrics
    ) {
        self.loop = loop
        self.stream = stream
        self.log = log
        self.logger = logger
        self.metrics = metrics
    }

    // MARK: Notes, from runs on the same loop

    nonisolated func began(_ debate: DebateID, epoch: Int64, tail: LogTail, events: [SealedEvent]) {
        assumeIsolated { publisher in
            publisher.cursors[debate] = PublishCursor(epoch: epoch, tail: tail, events: events)
            publisher.note(debate)
        }
    }

    nonisolated func committed(_ debate: DebateID, _ events: [SealedEvent]) {
        assumeIsolated { publisher in
            publisher.cursors[debate]?.append(events)
            publisher.note(debate)
        }
    }

    nonisolated func live(_ debate: DebateID, epoch: Int64, envelope: [UInt8]) {
        assumeIsolated { publisher in
            guard publisher.isUp, publisher.live.count + publisher.liveInFlight < Self.maxLive else { return }
            let seq = publisher.cursors[debate]?.tail.seq ?? 0
            publisher.live.append((debate, PublishedEntry(live: .token, seq: seq, epoch: epoch, envelope: envelope)))
            publisher.wake()
        }
    }

    nonisolated func ended(_ debate: DebateID) {
        assumeIsolated { publisher in
            guard publisher.cursors[debate] != nil else { return }
            publisher.cursors[debate]?.hasEnded = true
            publisher.note(debate)
            let epoch = publisher.cursors[debate]?.epoch
            publisher.loop.schedule(after: Self.patience) { [weak publisher] in
                publisher?.assumeIsolated { if $0.cursors[debate]?.epoch == epoch { $0.cursors[debate] = nil } }
            }
        }
    }

    private func note(_ debate: DebateID) {
        changed.insert(debate)
        wake()
    }

    private func wake() {
        waiter?.resume()
        waiter = nil
    }

    // MARK: The loop

    /// Publishes until ``finish()``, or until the task is cancelled.
    func run() async {
        isRunning = true
        metrics.onScrape { [weak self] metrics in self?.report(to: metrics) }
        await withDiscardingTaskGroup { group in
            while !isStopping {
                startReady(&group)
                guard !isStopping else { break }
                await withCheckedContinuation { waiter = $0 }
            }
            group.cancelAll()
        }
        isRunning = false
        for waiter in finishWaiters { waiter.resume() }
        finishWaiters = []
    }

    /// Ends ``run()``, and returns when everything that is committed is published, or can not be.
    func finish() async {
        isFinishing = true
        if !isUp || changed.isEmpty && busy.isEmpty { isStopping = true }
        wake()
        guard isRunning else { return }
        await withCheckedContinuation { finishWaiters.append($0) }
    }

    private func startReady(_ group: inout DiscardingTaskGroup) {
        for debate in changed.subtracting(busy) {
            changed.remove(debate)
            busy.insert(debate)
            group.addTask(executorPreference: loop) { await self.publish(debate) }
        }
        for (debate, entry) in live {
            liveInFlight += 1
            group.addTask(executorPreference: loop) { await self.send(entry, of: debate) }
        }
        live = []
    }

    private func send(_ entry: PublishedEntry, of debate: DebateID) async {
        // Lost text is harmless: the stored message has all of it.
        try? await stream()?.publishTransient(debate, entry)
        liveInFlight -= 1
    }

    private func publish(_ debate: DebateID) async {
        do {
            while try await advance(debate) {}
            if cursors[debate]?.hasEnded == true, cursors[debate]?.isDone == true { cursors[debate] = nil }
            succeeded()
        } catch {
            cursors[debate]?.lost()
            failed(debate, error)
        }
        busy.remove(debate)
        if isFinishing, changed.isEmpty, busy.isEmpty { isStopping = true }
        if !changed.isEmpty || isStopping { wake() }
    }

    /// One step of one cursor.
    /// - Returns: whether another may follow.
    private func advance(_ debate: DebateID) async throws -> Bool {
        guard let cursor = cursors[debate] else { return false }
        guard let stream = stream() else { throw RedisError(.unavailable, "no cache") }
        switch cursor.next {
        case .nothing:
            return false
        case .locate:
            let tail = try await stream.tail(debate)
            if cursors[debate]?.located(tail) == false { try await compare(debate, with: stream) }
        case .publish(let events):
            try await publish(debate, events, to: stream)
        case .read(let seq):
            let events = try await log.read(debate, from: seq, limit: EventStream.maxBatch)
            guard !events.isEmpty else { return false }
            try await publish(debate, events, to: stream)
        }
        return true
    }

    private func publish(_ debate: DebateID, _ events: [SealedEvent], to stream: EventStream) async throws {
        let outcome = try await stream.publish(debate, events.map { PublishedEntry($0, of: debate) })
        metrics.add(.publishes, ["ok"], by: Double(events.count))
        switch outcome {
        case .published(let last):
            if cursors[debate]?.published(upTo: last) == false { try await compare(debate, with: stream) }
        case .gap(let last):
            _ = cursors[debate]?.published(upTo: last)
        case .conflict(let seq):
            logger.warning("cache differed from the log", .debateID(debate.text), .seq(seq))
            cursors[debate]?.forgotten()
        }
    }

    /// The cache ends elsewhere than this holder's log. Postgres knows: a later holder goes on, or the cache is another log's.
    private func compare(_ debate: DebateID, with stream: EventStream) async throws {
        if let cached = try await stream.tail(debate),
            let stored = try await log.read(debate, from: cached.seq, limit: 1).first,
            stored.seq == cached.seq, stored.hash == cached.hash
        {
            cursors[debate]?.overtaken(at: cached)
        } else {
            try await forget(debate, in: stream)
        }
    }

    private func forget(_ debate: DebateID, in stream: EventStream) async throws {
        logger.warning("cache was ahead of the log", .debateID(debate.text))
        try await stream.forget(debate)
    }

    // MARK: Redis away

    private func succeeded() {
        backoff.reset()
        guard !isUp else { return }
        isUp = true
        logger.info("publishing again")
    }

    private func failed(_ debate: DebateID, _ error: any Error) {
        metrics.add(.publishes, ["error"])
        if isUp { logger.warning("publishing failed, viewers read Postgres", .debateID(debate.text), .error(error)) }
        isUp = false
        if isFinishing { isStopping = true }
        loop.schedule(after: backoff.next()) { [weak self] in
            self?.assumeIsolated { if $0.cursors[debate] != nil { $0.note(debate) } }
        }
    }

    private nonisolated func report(to metrics: Metrics) {
        // A scrape comes from another thread; the value is set from the loop, for the next scrape at the latest.
        loop.execute { [weak self] in
            self?.assumeIsolated { metrics.set(.publishLag, to: Double($0.cursors.values.reduce(0) { $0 + $1.lag })) }
        }
    }
}

extension PublishedEntry {
    /// What is published for an event of the log.
    package init(_ event: SealedEvent, of debate: DebateID) {
        self.init(
            kind: .event, seq: event.seq, epoch: event.epoch, hash: event.hash, prevHash: event.prevHash,
            envelope: EventEnvelope.encode(event, debateID: debate))
    }
}

import Domain

/// How far one debate is published, and what is at hand to go on with.
struct PublishCursor {
    /// Events kept in memory; beyond it they are read from Postgres again.
    static let maxPending = 64

    /// Where the committed log ends.
    private(set) var tail: LogTail
    private(set) var epoch: Int64
    /// The cache has everything up to here; nil when that is not known.
    private(set) var published: Int64?
    /// Contiguous, up to `tail`; may begin later than what is to be published next.
    private(set) var pending: [SealedEvent]
    /// No more events come.
    var hasEnded = false

    init(epoch: Int64, tail: LogTail, events: [SealedEvent]) {
        self.epoch = epoch
        self.tail = tail
        pending = Array(events.suffix(Self.maxPending))
    }

    var isDone: Bool { published == tail.seq }
    var lag: Int64 { tail.seq - (published ?? 0) }

    mutating func append(_ events: [SealedEvent]) {
        guard let last = events.last else { return }
        pending += events
        if pending.count > Self.maxPending { pending.removeFirst(pending.count - Self.maxPending) }
        tail = LogTail(seq: last.seq, hash: last.hash)
        epoch = last.epoch
    }

    enum Next {
        case nothing
        /// Ask the cache where it ends.
        case locate
        /// Publish these.
        case publish([SealedEvent])
        /// Read from this number on, then publish.
        case read(from: Int64)
    }

    var next: Next {
        if isDone { return .nothing }
        guard let first = pending.first else { return published.map { .read(from: $0 + 1) } ?? .locate }
        guard let published else {
            // The cache skips what it has and says when it has something else, so a whole log needs no question first.
            return first.seq == 1 ? .publish(pending) : .locate
        }
        let rest = pending.filter { $0.seq > published }
        return rest.first?.seq == published + 1 ? .publish(rest) : .read(from: published + 1)
    }

    /// The cache ends here.
    /// - Returns: false when it ends beyond what we know of the log, or with another event: Postgres must be asked.
    mutating func located(_ cached: LogTail?) -> Bool {
        guard let cached else {
            published = 0
            return true
        }
        guard cached.seq < tail.seq || cached.seq == tail.seq && cached.hash == tail.hash else {
            forgotten()
            return false
        }
        published = cached.seq
        return true
    }

    /// - Returns: false when the cache is ahead of what we know of the log: Postgres must be asked.
    mutating func published(upTo seq: Int64) -> Bool {
        guard seq <= tail.seq else {
            forgotten()
            return false
        }
        published = seq
        pending.removeAll { $0.seq <= seq }
        return true
    }

    /// The log has what the cache ends with, and so goes on without us.
    mutating func overtaken(at cached: LogTail) {
        if cached.seq > tail.seq { tail = cached }
        published = cached.seq
        pending.removeAll { $0.seq <= cached.seq }
    }

    /// The cache has nothing any more.
    mutating func forgotten() { published = 0 }

    /// Whether the cache took what was sent is not known.
    mutating func lost() { published = nil }
}

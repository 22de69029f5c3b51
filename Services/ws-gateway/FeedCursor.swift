import Domain

/// How far one viewer of one debate has come, and the one rule that keeps its view gapless (design §2.6).
struct FeedCursor: Sendable, Equatable {
    /// The next event the viewer must get.
    private(set) var nextSeq: Int64
    /// The hash of the last one it got; nil before the first, when the rule checks the number only.
    private(set) var lastHash: [UInt8]?

    init(nextSeq: Int64, lastHash: [UInt8]?) {
        self.nextSeq = nextSeq
        self.lastHash = lastHash
    }

    /// Of one who has everything up to here.
    init(after tail: LogTail) { self.init(nextSeq: tail.seq + 1, lastHash: tail.hash) }

    /// What to do with an event.
    enum Step: Sendable, Equatable {
        case send
        /// The viewer has it already.
        case drop
        /// Something between is missing: read the log, never skip.
        case fill
        /// It has our number but another past: the log is not the one we read.
        case reset
    }

    func step(seq: Int64, prevHash: [UInt8]) -> Step {
        if seq < nextSeq { return .drop }
        if seq > nextSeq { return .fill }
        guard let lastHash else { return .send }
        return prevHash == lastHash ? .send : .reset
    }

    mutating func advance(past seq: Int64, hash: [UInt8]) {
        nextSeq = seq + 1
        lastHash = hash
    }

    /// Whether the log, as a query saw it that began after this cursor stood here, can be the log this viewer reads.
    func contradicts(tailSeq: Int64, tailHash: [UInt8]) -> Bool {
        if tailSeq < nextSeq - 1 { return true }
        guard tailSeq == nextSeq - 1, let lastHash else { return false }
        return tailHash != lastHash
    }
}

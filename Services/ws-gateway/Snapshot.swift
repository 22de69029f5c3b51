import Contracts
import Domain
import HTTP
import Platform

/// A run of a debate's events in one message, made once for all who come while the log stands there.
struct Snapshot: Sendable {
    /// Events of one message together, in bytes, unless it is one event that is longer. Clients refuse messages of 1 MiB.
    static let limitBytes = 256 * 1024

    /// For whom it is.
    struct Key: Hashable {
        let fromSeq: Int64
        /// By a shared link: without what links do not show.
        let isLink: Bool
        /// Who asked for arrays gets an array of one.
        let isArray: Bool
    }

    let message: SnapshotMessage
    let frame: Frame

    var isComplete: Bool { message.isComplete }
    var bytes: Int { frame.bytes.count }

    /// Whether this is what is to be told of a log that stands here: all of it, or a full message with more to follow.
    func holds(for tail: LogTail) -> Bool {
        isComplete ? message.toSeq == tail.seq && message.hash == tail.hash : message.toSeq < tail.seq
    }

    var inArray: Snapshot {
        Snapshot(message: message, frame: .text(MessageArray.encode([frame.payload])))
    }
}

/// Events on their way into a snapshot.
struct SnapshotDraft {
    /// Nobody can say what of an event a link may show.
    struct Unknown: Error {}

    let debate: DebateID
    let isLink: Bool
    let tail: LogTail
    private let fromSeq: Int64
    private(set) var nextSeq: Int64
    private var prevHash: [UInt8]?
    private var hash: [UInt8]?
    private var envelopes: [ArraySlice<UInt8>] = []
    private var bytes = 0

    init(_ debate: DebateID, _ key: Snapshot.Key, _ tail: LogTail) {
        self.debate = debate
        isLink = key.isLink
        self.tail = tail
        fromSeq = key.fromSeq
        nextSeq = key.fromSeq
    }

    /// Takes events that follow. - Returns: whether there is room for more.
    mutating func add(_ entries: [FeedEntry]) throws -> Bool {
        for entry in entries where entry.seq <= tail.seq {
            guard entry.seq == nextSeq, hash == nil || hash == entry.prevHash else {
                throw LogGap(debate: debate, seq: nextSeq)
            }
            guard let frame = isLink ? entry.linkFrame : entry.frame else { throw Unknown() }
            let envelope = frame.payload
            guard envelopes.isEmpty || bytes + envelope.count <= Snapshot.limitBytes else { return false }
            if prevHash == nil { prevHash = entry.prevHash }
            hash = entry.hash
            nextSeq += 1
            bytes += envelope.count
            envelopes.append(envelope)
        }
        return true
    }

    /// - Throws: ``LogGap`` when these events do not lead to where the log stands.
    func finish() throws -> Snapshot {
        let isComplete = nextSeq > tail.seq
        guard !isComplete || hash == nil || hash == tail.hash else { throw LogGap(debate: debate, seq: tail.seq) }
        let message = SnapshotMessage(
            debate: debate, fromSeq: fromSeq, prevHash: prevHash ?? tail.hash, toSeq: nextSeq - 1,
            hash: hash ?? tail.hash, isComplete: isComplete)
        let now = ISO8601.string(milliseconds: WallClock.nowMilliseconds())
        return Snapshot(message: message, frame: .text(message.encode(envelopes, timestamp: now)))
    }
}

import Contracts
import Domain
import HTTP

/// An event on its way to viewers: its place in the chain, and one frame that all of them share.
struct FeedEntry: Sendable {
    let seq: Int64
    let epoch: Int64
    let hash: [UInt8]
    let prevHash: [UInt8]
    let frame: Frame

    init(_ event: SealedEvent, debate: DebateID) {
        seq = event.seq
        epoch = event.epoch
        hash = event.hash
        prevHash = event.prevHash
        frame = Frame.text(EventEnvelope.encode(event, debateID: debate))
    }

    init(_ entry: PublishedEntry) {
        seq = entry.seq
        epoch = entry.epoch
        hash = entry.hash
        prevHash = entry.prevHash
        frame = Frame.text(entry.envelope)
    }

    init(seq: Int64, epoch: Int64, hash: [UInt8], prevHash: [UInt8], frame: Frame) {
        self.seq = seq
        self.epoch = epoch
        self.hash = hash
        self.prevHash = prevHash
        self.frame = frame
    }

    /// Whether `entries` is a run without gaps that begins at `seq` and, when it is long enough, passes through `tail`.
    static func isContiguous(_ entries: [FeedEntry], from seq: Int64, reaching tail: LogTail) -> Bool {
        var expected = seq
        var previous: [UInt8]?
        for entry in entries {
            guard entry.seq == expected, previous == nil || entry.prevHash == previous else { return false }
            if entry.seq == tail.seq && entry.hash != tail.hash { return false }
            previous = entry.hash
            expected += 1
        }
        return !entries.isEmpty
    }
}

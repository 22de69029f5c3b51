import Contracts
import Crypto
import Domain
import HTTP

/// An event on its way to viewers: its place in the chain, and one frame that all of them share.
struct FeedEntry: Sendable {
    let seq: Int64
    let epoch: Int64
    let hash: [UInt8]
    private(set) var prevHash: [UInt8]
    let frame: Frame
    /// The frame for who watches by a shared link; nil when nobody can say what is in it.
    let linkFrame: Frame?

    init(_ event: SealedEvent, debate: DebateID) {
        seq = event.seq
        epoch = event.epoch
        hash = event.hash
        prevHash = event.prevHash
        frame = Frame.text(EventEnvelope.encode(event, debateID: debate))
        linkFrame =
            LinkView.withheld.contains(event.type)
            ? Frame.text(EventEnvelope.encode(event.shownByLink, debateID: debate)) : frame
    }

    init(_ entry: PublishedEntry) {
        seq = entry.seq
        epoch = entry.epoch
        hash = entry.hash
        prevHash = entry.prevHash
        frame = Frame.text(entry.envelope)
        linkFrame =
            switch LinkView.finding(entry.envelope) {
            case .shown: frame
            case .withheld: Self.withheld(entry.envelope)
            case .unknown: nil
            }
    }

    /// The same event, its link being these very bytes.
    func linked(to prevHash: [UInt8]) -> FeedEntry {
        var entry = self
        entry.prevHash = prevHash
        return entry
    }

    /// The envelope without its content: rare, so it is read and written anew.
    private static func withheld(_ envelope: [UInt8]) -> Frame? {
        guard let (debate, event) = try? EventEnvelope.parse(envelope) else { return nil }
        let hash = event.isErased ? event.dataHash : SHA256.hash(event.salt + event.data)
        let shown = SealedEvent(
            seq: event.seq, type: event.type, round: event.round, agent: event.agent, at: event.at, epoch: event.epoch,
            data: [], salt: [], dataHash: hash, prevHash: event.prevHash, hash: event.hash, call: nil)
        return Frame.text(EventEnvelope.encode(shown, debateID: debate))
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

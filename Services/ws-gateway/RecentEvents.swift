import Domain
import HTTP

/// The newest events of a debate that somebody watches, without a gap: those who come back after a restart need no store.
struct RecentEvents: Sendable {
    private var entries: ArraySlice<FeedEntry> = []
    /// Of their frames; what compressed forms add comes on top.
    private(set) var bytes = 0

    /// Adds events that follow, overlap or precede these; others take their place. The oldest go when there are too many.
    mutating func add(_ more: [FeedEntry], limitBytes: Int) {
        guard let first = more.first, let last = more.last else { return }
        if let oldest = entries.first, let newest = entries.last {
            if last.seq <= newest.seq {
                guard first.seq < oldest.seq, last.seq >= oldest.seq - 1 else { return }
                let before = more.prefix { $0.seq < oldest.seq }
                guard before.last?.hash == oldest.prevHash else { return }
                entries = before + entries
            } else if let next = more.first(where: { $0.seq == newest.seq + 1 }), next.prevHash == newest.hash {
                entries.append(contentsOf: more.drop { $0.seq <= newest.seq })
            } else {
                entries = more[...]
            }
        } else {
            entries = more[...]
        }
        bytes = entries.reduce(0) { $0 + $1.frame.bytes.count }
        while bytes > limitBytes, let oldest = entries.popFirst() { bytes -= oldest.frame.bytes.count }
        // A slice keeps the whole of what it was cut from.
        if entries.startIndex > entries.count { entries = Array(entries)[...] }
    }

    /// Events from `seq` on, if they are here and pass through `tail`; empty otherwise.
    func page(from seq: Int64, limit: Int, reaching tail: LogTail) -> [FeedEntry] {
        guard let oldest = entries.first, let newest = entries.last, seq >= oldest.seq, seq <= newest.seq,
            tail.seq >= oldest.seq, tail.seq <= newest.seq,
            entries[entries.startIndex + Int(tail.seq - oldest.seq)].hash == tail.hash
        else { return [] }
        let start = entries.startIndex + Int(seq - oldest.seq)
        return Array(entries[start..<min(entries.endIndex, start + limit)])
    }
}

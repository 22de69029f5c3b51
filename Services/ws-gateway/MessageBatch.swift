import Contracts
import HTTP

/// What a client that asked for arrays gets with its next frame: what came in one turn of the loop.
///
/// Events, which many get, and what is said to this one client alone are never in one array, so that arrays of events can
/// be shared as events are.
struct MessageBatch {
    /// Messages, and bytes of them, after which an array is full. A longer message is an array of its own.
    static let maxMessages = 64
    static let maxBytes = 64 * 1024
    /// The most that an array adds to a message: a comma or its brackets, and the head of a frame.
    static let overheadBytes = 16

    private(set) var frames: [Frame] = []
    private(set) var isShared = false
    /// Of what waits, with what the array adds.
    private(set) var bytes = 0
    /// The event before the first one in it, where a client resumes that does not get it.
    private(set) var lastSeq: Int64?

    var isEmpty: Bool { frames.isEmpty }

    /// Whether one more still belongs into this array.
    func takes(_ frame: Frame, isShared: Bool) -> Bool {
        isEmpty
            || isShared == self.isShared && frames.count < Self.maxMessages
                && bytes + frame.bytes.count <= Self.maxBytes
    }

    mutating func add(_ frame: Frame, isShared: Bool, after lastSeq: Int64?) {
        self.isShared = isShared
        self.lastSeq = self.lastSeq ?? lastSeq
        frames.append(frame)
        bytes += frame.bytes.count + Self.overheadBytes
    }

    mutating func clear() { self = MessageBatch() }
}

/// The newest arrays of one loop: viewers of a debate get the same events in the same turn, so the array that one got is
/// the next one's too, compressed form and all.
struct SharedArrays {
    static let kept = 16

    private var arrays: [(frames: [Frame], array: Frame)] = []

    var count: Int { arrays.count }

    mutating func array(of frames: [Frame]) -> Frame {
        if let known = arrays.last(where: { Self.areSame($0.frames, frames) }) { return known.array }
        let array = Self.make(frames)
        if arrays.count == Self.kept { arrays.removeFirst() }
        arrays.append((frames, array))
        return array
    }

    mutating func forget() { arrays.removeAll() }

    static func make(_ frames: [Frame]) -> Frame { .text(MessageArray.encode(frames.map(\.payload))) }

    /// Viewers hold the same bytes, so this compares addresses; other events differ early.
    private static func areSame(_ some: [Frame], _ others: [Frame]) -> Bool {
        some.count == others.count && zip(some, others).allSatisfy { $0.bytes == $1.bytes }
    }
}

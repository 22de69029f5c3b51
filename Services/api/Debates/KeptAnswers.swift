import Domain
import Platform
import Sockets

/// What this process last answered about debates that are over, so that it need not read their logs each time.
///
/// An answer goes with the version that the debate's rows had before it was made: it is given again only while they have that
/// version still (``DebateStore/version(of:within:)``), which whoever asks must be shown first. So nothing erased, edited or
/// hidden is ever given from here. What is out of date leaves memory when it is asked for, or when another answer is kept
/// and it is older than ``maxAge``.
final class KeptAnswers: Sendable {
    static let maxEntries = 512
    static let maxBytes = 16 * 1024 * 1024
    /// Of one answer; a longer one is made each time.
    static let maxAnswerBytes = maxBytes / 4
    static let maxAge = Duration.seconds(600)

    struct Answer: Sendable {
        let version: String
        let bytes: [UInt8]
    }

    private struct Entry {
        let answer: Answer
        /// As ``MonotonicTime``.
        let keptAt: Int64
        var usedAt: Int64
    }

    private struct State {
        var entries: [DebateID: Entry] = [:]
        var bytes = 0

        mutating func remove(_ debate: DebateID) {
            guard let entry = entries.removeValue(forKey: debate) else { return }
            bytes -= entry.answer.bytes.count
        }
    }

    private let state = Lock(State())

    /// How many there are, and their bytes.
    var size: (entries: Int, bytes: Int) { state.withLock { ($0.entries.count, $0.bytes) } }

    /// - Parameter now: as ``MonotonicTime``.
    func find(_ debate: DebateID, now: Int64 = MonotonicTime.now()) -> Answer? {
        state.withLock { state in
            guard let entry = state.entries[debate] else { return nil }
            guard now - entry.keptAt < Self.maxAge.nanosecondsClamped else {
                state.remove(debate)
                return nil
            }
            state.entries[debate]?.usedAt = now
            return entry.answer
        }
    }

    /// - Parameter version: read before anything else that the answer was made of.
    func keep(_ bytes: [UInt8], of debate: DebateID, version: String, now: Int64 = MonotonicTime.now()) {
        guard bytes.count <= Self.maxAnswerBytes else { return }
        state.withLock { state in
            state.remove(debate)
            let tooOld = now - Self.maxAge.nanosecondsClamped
            for (old, entry) in state.entries where entry.keptAt <= tooOld { state.remove(old) }
            while state.entries.count >= Self.maxEntries || state.bytes + bytes.count > Self.maxBytes {
                guard let last = state.entries.min(by: { $0.value.usedAt < $1.value.usedAt })?.key else { break }
                state.remove(last)
            }
            state.entries[debate] = Entry(answer: Answer(version: version, bytes: bytes), keptAt: now, usedAt: now)
            state.bytes += bytes.count
        }
    }

    func forget(_ debate: DebateID) { state.withLock { $0.remove(debate) } }
}

import Contracts
import Domain
import Messaging
import RedisClient
import Sockets
import TestSupport
import Testing

/// Ids, entries and stores for the tests of Messaging.
enum Sample {
    static func debate() -> DebateID {
        DebateID(milliseconds: 1_700_000_000_000, random: (0..<10).map { _ in UInt8.random(in: 0...255) })
    }

    /// The hash of a made-up event: its number, and a mark that tells histories apart.
    static func hash(_ seq: Int64, _ history: UInt8 = 0) -> [UInt8] {
        [UInt8](repeating: history, count: 24) + (0..<8).map { UInt8(truncatingIfNeeded: seq >> (8 * $0)) }
    }

    /// Linked entries of one history.
    static func entries(_ range: ClosedRange<Int64>, history: UInt8 = 0) -> [PublishedEntry] {
        range.map { seq in
            PublishedEntry(
                kind: .event, seq: seq, epoch: 1, hash: hash(seq, history), prevHash: hash(seq - 1, history),
                envelope: Array(#"{"seq":\#(seq)}"#.utf8))
        }
    }

    /// Lends a keyspace besides what ``TestRedis`` lends.
    static func use(
        _ body: (_ loop: EventLoop, _ connection: RedisConnection, _ keyspace: Keyspace) async throws -> Void
    ) async throws {
        try await TestRedis.use { loop, connection, prefix in
            try await body(loop, connection, Keyspace(prefix: prefix, generation: 1))
        }
    }
}

import Contracts
import Ledger
import Messaging
import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@testable import DebateRunner
@testable import Domain

@Suite("Publisher", .needsRedis)
struct PublisherTests {
    /// A log in memory: what Postgres would hold.
    final class MemoryLog: EventLog {
        private let events: Lock<[SealedEvent]>
        private let reads = Lock(0)
        init(_ events: [SealedEvent]) { self.events = Lock(events) }
        var readCount: Int { reads.withLock { $0 } }

        func read(_ debate: DebateID, from seq: Int64, limit: Int) async throws(EventLogError) -> [SealedEvent] {
            reads.withLock { $0 += 1 }
            return Array(events.withLock { $0.filter { $0.seq >= seq }.prefix(limit) })
        }
        func append(_ batch: EventBatch) async throws(EventLogError) -> AppendResult { throw .broken("read only") }
        func conclude(_ batch: EventBatch, _ conclusion: DebateConclusion) async throws(EventLogError) -> AppendResult {
            throw .broken("read only")
        }
    }

    private func sealed(_ count: Int, of debate: DebateID = SampleDebate.id) -> [SealedEvent] {
        var chain = EventChain(debateID: debate)
        return (1...count).map { number in
            let salt = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 16)
            return chain.seal(
                .userMessage(author: "ann", Remark("remark \(number)")), at: Timestamp(milliseconds: Int64(number)),
                epoch: 1,
                salt: salt)
        }
    }

    private func tail(_ events: [SealedEvent]) -> LogTail {
        events.last.map { LogTail(seq: $0.seq, hash: $0.hash) } ?? EventChain.genesis(of: SampleDebate.id)
    }

    /// Lends a running publisher; ``Publisher/finish()`` is the signal that everything is out.
    private func use(
        _ log: MemoryLog, isUp: Bool = true,
        _ body: (
            _ publisher: Publisher, _ stream: EventStream, _ onLoop: (@escaping @Sendable () -> Void) async -> Void
        ) async throws -> Void
    ) async throws {
        try await TestRedis.use { loop, connection, prefix in
            let stream = EventStream(connection: connection, keyspace: Keyspace(prefix: prefix, generation: 1))
            let publisher = Publisher(
                loop: loop, stream: { isUp ? stream : nil }, log: log, logger: .disabled, metrics: Metrics())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask(executorPreference: loop) { await publisher.run() }
                try await body(publisher, stream) { note in
                    await withCheckedContinuation { continuation in
                        loop.execute {
                            note()
                            continuation.resume()
                        }
                    }
                }
                await publisher.finish()
                try await group.waitForAll()
            }
        }
    }

    @Test("publishes what is committed, in order and once, without asking Postgres")
    func fresh() async throws {
        let events = sealed(10)
        let log = MemoryLog(events)
        try await use(log) { publisher, stream, onLoop in
            await onLoop {
                publisher.began(
                    SampleDebate.id, epoch: 1, tail: self.tail(Array(events[..<1])), events: Array(events[..<1]))
                publisher.committed(SampleDebate.id, Array(events[1..<4]))
            }
            await onLoop {
                publisher.committed(SampleDebate.id, Array(events[4...]))
                publisher.ended(SampleDebate.id)
            }
            await publisher.finish()
            let cached = try await stream.cached(SampleDebate.id, from: 1)
            #expect(cached.map(\.seq) == Array(1...10))
            #expect(cached.map(\.hash) == events.map(\.hash))
            #expect(log.readCount == 0)
        }
    }

    @Test("an adopter fills what the cache lacks from Postgres")
    func adopter() async throws {
        let events = sealed(150)
        try await use(MemoryLog(events)) { publisher, stream, onLoop in
            _ = try await stream.publish(SampleDebate.id, events[..<20].map { PublishedEntry($0, of: SampleDebate.id) })
            await onLoop {
                publisher.began(SampleDebate.id, epoch: 2, tail: self.tail(events), events: Array(events[120...]))
            }
            await publisher.finish()
            let tail = try await stream.tail(SampleDebate.id)
            #expect(tail == self.tail(events))
            #expect(try await stream.cached(SampleDebate.id, from: 20).first?.seq == 20)
        }
    }

    @Test("a cache that is ahead of the log is deleted and filled anew")
    func ahead() async throws {
        let events = sealed(30)
        try await use(MemoryLog(Array(events[..<25]))) { publisher, stream, onLoop in
            _ = try await stream.publish(SampleDebate.id, events.map { PublishedEntry($0, of: SampleDebate.id) })
            await onLoop {
                publisher.began(
                    SampleDebate.id, epoch: 2, tail: self.tail(Array(events[..<25])), events: Array(events[..<25]))
            }
            await publisher.finish()
            #expect(try await stream.tail(SampleDebate.id) == self.tail(Array(events[..<25])))
        }
    }

    @Test("a holder that was overtaken leaves the cache of the next one as it is")
    func overtaken() async throws {
        let events = sealed(100)
        try await use(MemoryLog(events)) { publisher, stream, onLoop in
            // The first is missing, so that a cache that was filled anew would be told apart.
            _ = try await stream.publish(SampleDebate.id, events[1...].map { PublishedEntry($0, of: SampleDebate.id) })
            await onLoop {
                publisher.began(
                    SampleDebate.id, epoch: 1, tail: self.tail(Array(events[..<70])), events: Array(events[60..<70]))
                publisher.ended(SampleDebate.id)
            }
            await publisher.finish()
            #expect(try await stream.tail(SampleDebate.id) == self.tail(events))
            #expect(try await stream.cached(SampleDebate.id, from: 1).isEmpty)
        }
    }

    @Test("a cache with another history is deleted and filled anew")
    func conflict() async throws {
        let other = DebateID(milliseconds: 5, random: Array(1...10))
        let events = sealed(5)
        let strange = sealed(5, of: other)
        try await use(MemoryLog(events)) { publisher, stream, onLoop in
            _ = try await stream.publish(SampleDebate.id, strange.map { PublishedEntry($0, of: SampleDebate.id) })
            await onLoop { publisher.began(SampleDebate.id, epoch: 2, tail: self.tail(events), events: events) }
            await publisher.finish()
            #expect(try await stream.cached(SampleDebate.id, from: 1).map(\.hash) == events.map(\.hash))
        }
    }

    @Test("without Redis it ends all the same, and nothing blocks")
    func away() async throws {
        let events = sealed(3)
        try await use(MemoryLog(events), isUp: false) { publisher, _, onLoop in
            await onLoop {
                publisher.began(SampleDebate.id, epoch: 1, tail: self.tail(events), events: events)
                publisher.live(SampleDebate.id, epoch: 1, envelope: [0x7b, 0x7d])
            }
        }
    }
}

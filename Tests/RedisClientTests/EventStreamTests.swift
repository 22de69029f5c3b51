import Contracts
import Domain
import Messaging
import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Event stream", .needsRedis)
struct EventStreamTests {
    private let debate = Sample.debate()

    /// Lends a stream whose live messages are reported.
    private func following(
        _ body: (EventStream, Reports<PublishedEntry>, RedisConnection, Keyspace) async throws -> Void
    ) async throws {
        try await Sample.use { loop, connection, keys in
            let live = Reports<PublishedEntry>()
            let feed = LiveFeed(
                loop: loop, configuration: try TestRedis.configuration(), keyspace: keys, onEntry: { live.report($1) })
            try await feed.connect()
            try await feed.watch(debate)
            try await body(EventStream(connection: connection, keyspace: keys), live, connection, keys)
            await feed.unwatch(debate)
            await feed.close()
        }
    }

    @Test("a batch is stored under its own numbers, sent to who follows, and read back")
    func publishes() async throws {
        try await following { stream, live, connection, keys in
            #expect(try await stream.tail(debate) == nil)
            let entries = Sample.entries(1...200)
            #expect(try await stream.publish(debate, entries, timeout: .seconds(5)) == .published(last: 200))
            for entry in entries { #expect(await live.next() == entry) }
            #expect(try await stream.tail(debate) == LogTail(seq: 200, hash: Sample.hash(200)))
            #expect(try await stream.cached(debate, from: 1) == Array(entries[..<128]))
            #expect(try await stream.cached(debate, from: 150, limit: 3) == Array(entries[149..<152]))
            #expect(try await stream.cached(debate, from: 201).isEmpty)
            let token = PublishedEntry(live: .token, seq: 200, epoch: 1, envelope: Array("{}".utf8))
            try await stream.publishTransient(debate, token)
            #expect(await live.next() == token)
            #expect(try await connection.send(RedisCommand("XLEN", keys.events(debate))).integer == 200)
        }
    }

    @Test("erasing takes the copy away, and tells who follows to read the log again")
    func erases() async throws {
        try await following { stream, live, _, _ in
            _ = try await stream.publish(debate, Sample.entries(1...2))
            for seq in Int64(1)...2 { #expect(await live.next()?.seq == seq) }
            try await stream.erase(debate)
            #expect(await live.next()?.kind == .reset)
            #expect(try await stream.tail(debate) == nil)
        }
    }

    @Test("publishing again what is there changes nothing and sends nothing")
    func repeats() async throws {
        try await following { stream, live, connection, keys in
            _ = try await stream.publish(debate, Sample.entries(1...5))
            #expect(try await stream.publish(debate, Sample.entries(1...5)) == .published(last: 5))
            #expect(try await stream.publish(debate, Sample.entries(3...7)) == .published(last: 7))
            for seq in Int64(1)...7 { #expect(await live.next()?.seq == seq) }
            #expect(try await connection.send(RedisCommand("XLEN", keys.events(debate))).integer == 7)
        }
    }

    @Test("a batch that leaves a gap is refused with the end of the stream; a new stream may begin anywhere")
    func gaps() async throws {
        try await Sample.use { _, connection, keys in
            let stream = EventStream(connection: connection, keyspace: keys)
            let first = try await stream.publish(debate, Sample.entries(40...42))
            #expect(first == .published(last: 42))
            #expect(try await stream.publish(debate, Sample.entries(44...45)) == .gap(last: 42))
            #expect(try await stream.publish(debate, Sample.entries(43...45)) == .published(last: 45))
            #expect(try await stream.cached(debate, from: 1).isEmpty)
            #expect(try await stream.cached(debate, from: 40).count == 6)
        }
    }

    @Test(
        "another event under a known number, or one that does not link, deletes the stream and says where",
        arguments: [(3...3, 3), (2...5, 2), (4...4, 4)] as [(ClosedRange<Int64>, Int64)])
    func conflicts(range: ClosedRange<Int64>, at: Int64) async throws {
        try await Sample.use { _, connection, keys in
            let stream = EventStream(connection: connection, keyspace: keys)
            _ = try await stream.publish(debate, Sample.entries(1...3))
            #expect(try await stream.publish(debate, Sample.entries(range, history: 9)) == .conflict(at: at))
            #expect(try await connection.send(RedisCommand("EXISTS", keys.events(debate))).integer == 0)
            #expect(try await stream.publish(debate, Sample.entries(1...5, history: 9)) == .published(last: 5))
            try await stream.forget(debate)
            #expect(try await stream.tail(debate) == nil)
        }
    }

    @Test("a run is read only as far as it is whole: no gap, no broken link, no foreign entry")
    func wholeRuns() async throws {
        try await Sample.use { _, connection, keys in
            let stream = EventStream(connection: connection, keyspace: keys)
            func add(_ id: String, _ entry: [UInt8]) async throws {
                try await connection.send(RedisCommand("XADD", keys.events(debate), id, "b", arguments: [entry]))
            }
            let good = Sample.entries(1...9)
            for entry in good[0..<3] { try await add("\(entry.seq)-0", entry.bytes) }
            try await add("4-0", Sample.entries(4...4, history: 8)[0].bytes)
            try await add("5-0", good[4].bytes)
            try await add("7-0", good[6].bytes)
            try await add("8-0", [1, 2, 3])
            try await add("9-0", good[7].bytes)
            #expect(try await stream.cached(debate, from: 1) == Array(good[0..<3]))
            #expect(try await stream.cached(debate, from: 5) == [good[4]])
            #expect(try await stream.cached(debate, from: 6).isEmpty)
            #expect(try await stream.cached(debate, from: 7) == [good[6]])
            #expect(try await stream.tail(debate) == nil)
        }
    }

    @Test("the stream keeps about its limit")
    func trimmed() async throws {
        try await Sample.use { _, connection, keys in
            let stream = EventStream(connection: connection, keyspace: keys)
            let count = Int64(EventStream.maxEntries + 1000)
            #expect(
                try await stream.publish(debate, Sample.entries(1...count), timeout: .seconds(10))
                    == .published(last: count))
            let length = try #require(try await connection.send(RedisCommand("XLEN", keys.events(debate))).integer)
            // Redis trims whole nodes of 100 entries.
            #expect((Int64(EventStream.maxEntries)..<Int64(EventStream.maxEntries + 101)).contains(length))
            // What was trimmed away is not a conflict.
            #expect(try await stream.publish(debate, Sample.entries(1...2)) == .published(last: count))
        }
    }

    @Test("volatile-lru can evict copies and rates only: jobs and dead jobs never expire")
    func lifetimes() async throws {
        try await Sample.use { loop, connection, keys in
            let bell = Doorbell(connection: connection, keyspace: keys)
            let reader = DoorbellReader(
                loop: loop, configuration: try TestRedis.configuration(), connection: connection, keyspace: keys,
                consumer: "one")
            _ = try await reader.read(block: .seconds(5))
            try await bell.ring(debate)
            try await bell.bury(debate, reason: "test")
            guard case .deliveries(let got) = try await reader.read(block: .seconds(5)) else {
                Issue.record("flushed"); return
            }
            try await reader.acknowledge(got.map(\.entryID))
            _ = try await EventStream(connection: connection, keyspace: keys).publish(debate, Sample.entries(1...1))
            let limiter = RateLimiter(connection: connection, keyspace: keys, local: LocalRateTable())
            _ = await limiter.admit(scope: "api", subject: "a", limit: RateLimit(limit: 10))

            var ttl: [String: Int64] = [:]
            for case .string(let key) in try await connection.send(RedisCommand("KEYS", keys.prefix + "*")).array ?? []
            {
                let name = String(decoding: key, as: UTF8.self)
                ttl[name] = try await connection.send(RedisCommand("TTL", name)).integer
            }
            let forever: Set = [keys.jobs, keys.deadJobs]
            #expect(Set(ttl.keys) == forever.union([keys.events(debate), keys.rate(scope: "api", subject: "a")]))
            for (name, seconds) in ttl {
                #expect(
                    forever.contains(name)
                        ? seconds == -1 : (0...EventStream.lifetime.components.seconds).contains(seconds), "\(name)")
            }
            await reader.close()
        }
    }

    @Test("hints reach a listener that started before Redis was there for it")
    func hints() async throws {
        try await Sample.use { loop, connection, keys in
            let hints = Reports<ControlHint>()
            let states = Reports<RedisSubscriber.State>()
            let listener = ControlListener(
                loop: loop, configuration: try TestRedis.configuration(), keyspace: keys, onHint: hints.report,
                onStateChange: states.report)
            await listener.start()
            #expect(await states.next() == .connected(generation: 1))
            let hint = ControlHint(kind: .commands, debateID: debate.text, epoch: 3)
            try await connection.send(RedisCommand("PUBLISH", keys.control, "not a hint"))
            try await ControlChannel(connection: connection, keyspace: keys).send(hint)
            #expect(await hints.next() == hint)
            await listener.close()
        }
    }
}

import Contracts
import Domain
import FaultSupport
import Glibc
import Messaging
import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Redis Cluster, as the driver speaks to it", .serialized)
struct RedisClusterTests {
    private static func with(
        _ body: (ClusterRedis, EventLoop, RedisConfiguration, RedisConnection) async throws -> Void
    ) async throws {
        let redis = try await ClusterRedis.make()
        defer { redis.servers.stop() }
        let loop = try EventLoop(name: "cluster-test")
        defer { loop.stop() }
        var configuration = try RedisConfiguration(url: redis.url)
        configuration.endpoint.topology = redis.topology
        configuration.connectTimeout = .seconds(20)
        configuration.commandTimeout = .seconds(20)
        let connection = RedisConnection(loop: loop, configuration: configuration)
        try await connection.connect(timeout: .seconds(20))
        do { try await body(redis, loop, configuration, connection) } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    private static func debate() -> DebateID {
        DebateID(milliseconds: 1_700_000_000_000, random: (0..<10).map { _ in UInt8.random(in: 0...255) })
    }

    private static func entry(_ seq: Int64) -> PublishedEntry {
        func hash(_ seq: Int64) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: seq), count: 32) }
        return PublishedEntry(
            kind: .event, seq: seq, epoch: 1, hash: hash(seq), prevHash: hash(seq - 1),
            envelope: Array(#"{"seq":\#(seq)}"#.utf8))
    }

    @Test("commands go where their key is, also while its slot moves and after; a batch goes to several nodes")
    func keys() async throws {
        try await Self.with { redis, _, _, connection in
            let place = try await redis.place(of: "{move}")
            let target = (place.index + 1) % 3
            func set(_ key: String, _ value: String) async throws {
                try await connection.send(RedisCommand("SET", key, value))
            }
            func get(_ key: String) async throws -> String? { try await connection.send(RedisCommand("GET", key)).text }
            func count(at index: Int) async throws -> Int64? {
                try await redis.servers.ask(redis.primaries[index], "CLUSTER", "COUNTKEYSINSLOT", "\(place.slot)")
                    .integer
            }
            try await set("{move}a", "1")
            try await redis.beginMove(place.slot, from: place.index, to: target)
            #expect(try await get("{move}a") == "1")
            // Not at the old place: it is asked for, and made, at the new one.
            try await set("{move}b", "2")
            #expect(try await get("{move}b") == "2")
            #expect(try await count(at: place.index) == 1)
            #expect(try await count(at: target) == 1)
            let during = try await connection.send([
                RedisCommand("GET", "{move}a"), RedisCommand("GET", "{move}b"), RedisCommand("GET", "{move}c"),
            ])
            #expect(during.map(\.text) == ["1", "2", nil])
            try await redis.moveKeys(place.slot, from: place.index, to: target)
            try await redis.endMove(place.slot, to: target)
            #expect(try await get("{move}a") == "1")
            #expect(try await get("{move}b") == "2")
            #expect(try await count(at: target) == 2)

            let names = (0..<60).map { "key-\($0)" }
            _ = try await connection.send(names.map { RedisCommand("SET", $0, "of \($0)") })
            let replies = try await connection.send(names.map { RedisCommand("GET", $0) })
            #expect(replies.map(\.text) == names.map { "of \($0)" })
            for primary in redis.primaries {
                #expect(try await redis.servers.ask(primary, "DBSIZE").integer ?? 0 > 5)
            }
            #expect(try await Set(connection.scan(match: "key-*", count: 100, rounds: 100)) == Set(names))
            let asked = try await connection.sendToEach([RedisCommand("INFO", "server"), RedisCommand("NO-SUCH")])
            #expect(Set(asked.map(\.0)) == Set(redis.primaries))
            for (node, replies) in asked {
                #expect(replies[0].text?.contains("tcp_port:\(node.port)") == true)
                guard case .error = replies[1] else {
                    Issue.record("an error is an answer")
                    continue
                }
            }
        }
    }

    @Test("every script and every list of ours runs there, whichever node it falls to")
    func messaging() async throws {
        try await Self.with { _, loop, configuration, connection in
            let keys = Keyspace(prefix: "t", generation: 1)
            let stream = EventStream(connection: connection, keyspace: keys)
            for _ in 1...12 {
                let debate = Self.debate()
                let entries = (1...3).map { Self.entry($0) }
                #expect(try await stream.publish(debate, entries, timeout: .seconds(20)) == .published(last: 3))
                #expect(try await stream.cached(debate, from: 1).map(\.seq) == [1, 2, 3])
                #expect(try await stream.tail(debate)?.seq == 3)
                try await stream.forget(debate)
                #expect(try await stream.tail(debate) == nil)
            }
            let board = ProviderBoard(connection: connection, keyspace: keys)
            let rules = ProviderBoard.Rules(
                failures: 3, windowMilliseconds: 60_000, cooldownMilliseconds: 60_000, maxInFlight: 8,
                leaseMilliseconds: 60_000)
            for provider in ["anthropic", "openai", "mistral", "gemini", "xai"] {
                // A deadline of theirs is 100 ms, for a node that is not there; the machine may be busy.
                var entry: ProviderBoard.Entry?
                for _ in 0..<50 where entry == nil { entry = await board.enter(provider, call: "c", rules: rules) }
                #expect(entry == .admitted(isProbe: false))
            }
            let bell = Doorbell(connection: connection, keyspace: keys)
            let reader = DoorbellReader(
                loop: loop, configuration: configuration, connection: connection, keyspace: keys, consumer: "one")
            guard case .flushed = try await reader.read(block: .seconds(10)) else {
                Issue.record("the group was there")
                return
            }
            let debates = (0..<10).map { _ in Self.debate() }
            try await bell.ring(all: debates)
            guard case .deliveries(let rung) = try await reader.read(block: .seconds(10)) else {
                Issue.record("no rings")
                return
            }
            #expect(rung.map(\.debate) == debates)
            try await reader.acknowledge(rung.map(\.entryID))
            try await bell.bury(debates[0], reason: "a test")
            #expect(try await bell.deadCount() == 1)
            await reader.close()
        }
    }

    @Test(
        "a follower hears each node's debates, follows one whose slot moves, and says that it may have missed something"
    )
    func followers() async throws {
        try await Self.with { redis, loop, configuration, connection in
            let keys = Keyspace(prefix: "t", generation: 1)
            let heard = Reports<DebateID>()
            let states = Reports<RedisSubscriber.State>()
            let feed = LiveFeed(
                loop: loop, configuration: configuration, keyspace: keys,
                onEntry: { debate, _ in heard.report(debate) },
                onStateChange: states.report)
            try await feed.connect(timeout: .seconds(20))
            let stream = EventStream(connection: connection, keyspace: keys)
            // One on each node at the least.
            var debates: [Int: DebateID] = [:]
            while debates.count < 3 {
                let debate = Self.debate()
                debates[try await redis.place(of: "{\(debate)}").index] = debate
            }
            for debate in debates.values { try await feed.watch(debate) }
            for debate in debates.values {
                _ = try await stream.publish(debate, [Self.entry(1)], timeout: .seconds(20))
                #expect(await heard.next() == debate)
            }
            let gone = Self.debate()
            try await feed.watch(gone)
            await feed.unwatch(gone)

            let (index, debate) = (0, try #require(debates[0]))
            let slot = try await redis.place(of: "{\(debate)}").slot
            try await redis.beginMove(slot, from: index, to: 1)
            try await redis.moveKeys(slot, from: index, to: 1)
            try await redis.endMove(slot, to: 1)
            // Twice or more: the first is of the beginning.
            let again = await states.next { if case .connected(let generation) = $0 { generation > 1 } else { false } }
            #expect(again != nil)
            for debate in debates.values {
                _ = try await stream.publish(debate, [Self.entry(2)], timeout: .seconds(20))
                #expect(await heard.next() == debate)
            }
            await feed.close()
        }
    }
}

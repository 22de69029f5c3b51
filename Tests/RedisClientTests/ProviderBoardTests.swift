@testable import Messaging
import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("What processes share about a provider")
struct ProviderBoardTests {
    private func rules(
        failures: Int = 3, window: Int64 = 60_000, cooldown: Int64 = 60_000, cap: Int = 32, lease: Int64 = 60_000
    ) -> ProviderBoard.Rules {
        ProviderBoard.Rules(
            failures: failures, windowMilliseconds: window, cooldownMilliseconds: cooldown, maxInFlight: cap,
            leaseMilliseconds: lease)
    }

    /// Two processes of one installation.
    private func two(_ loop: EventLoop, _ connection: RedisConnection, _ keys: Keyspace) async throws -> (
        ProviderBoard, ProviderBoard, RedisConnection
    ) {
        let other = RedisConnection(loop: loop, configuration: try TestRedis.configuration())
        try await other.connect()
        return (
            ProviderBoard(connection: connection, keyspace: keys), ProviderBoard(connection: other, keyspace: keys),
            other
        )
    }

    @Test("failures of several processes add up, and all of them see the breaker open", .needsRedis)
    func opens() async throws {
        try await Sample.use { loop, connection, keys in
            let (one, two, other) = try await two(loop, connection, keys)
            for number in 1...3 {
                let board = number == 2 ? two : one
                #expect(await board.enter("openai", call: "c\(number)", rules: rules()) == .admitted(isProbe: false))
                let standing = await board.leave(
                    "openai", call: "c\(number)", rules: rules(), result: .failed, pauseMilliseconds: 0)
                #expect(standing?.opened == (number == 3))
            }
            for board in [one, two] {
                guard case .open(let left) = await board.enter("openai", call: "c4", rules: rules()) else {
                    Issue.record("not open")
                    continue
                }
                #expect((1...60_000).contains(left))
            }
            #expect(await one.enter("anthropic", call: "c5", rules: rules()) == .admitted(isProbe: false))
            await other.close()
        }
    }

    @Test(
        "three failures in a row, whoever saw them, make a provider unhealthy for all; two answers healthy", .needsRedis
    )
    func health() async throws {
        try await Sample.use { loop, connection, keys in
            let (one, two, other) = try await two(loop, connection, keys)
            func end(_ board: ProviderBoard, _ result: ProviderBoard.Result) async -> Bool? {
                await board.leave(
                    "openai", call: "x", rules: rules(failures: 99), result: result, pauseMilliseconds: 0)?
                    .isHealthy
            }
            #expect(await end(one, .failed) == true)
            #expect(await end(two, .failed) == true)
            #expect(await end(one, .succeeded) == true, "an answer between them")
            #expect(await end(one, .failed) == true)
            #expect(await end(two, .failed) == true)
            #expect(await end(two, .neither) == true)
            #expect(await end(one, .failed) == false)
            #expect(await two.view("openai", windowMilliseconds: 60_000)?.isHealthy == false)
            #expect(await end(two, .succeeded) == false)
            #expect(await end(one, .failed) == false, "a failure between them")
            #expect(await end(two, .succeeded) == false)
            #expect(await end(one, .succeeded) == true)
            #expect(await one.view("openai", windowMilliseconds: 60_000)?.isHealthy == true)
            #expect(await one.view("anthropic", windowMilliseconds: 60_000)?.failures == 0)
            await other.close()
        }
    }

    @Test("half open, one call of all processes is the probe; its answer closes the breaker for all", .needsRedis)
    func probe() async throws {
        try await Sample.use { loop, connection, keys in
            let (one, two, other) = try await two(loop, connection, keys)
            // No cooldown: open and at once half open.
            let short = rules(failures: 1, cooldown: 0)
            _ = await one.enter("xai", call: "a", rules: short)
            await one.leave("xai", call: "a", rules: short, result: .failed, pauseMilliseconds: 0)
            var entry = await two.enter("xai", call: "b", rules: short)
            while case .open = entry { entry = await two.enter("xai", call: "b", rules: short) }
            #expect(entry == .admitted(isProbe: true))
            #expect(await one.enter("xai", call: "c", rules: short) == .probing)
            await one.leave("xai", call: "late", rules: short, result: .succeeded, pauseMilliseconds: 0)
            #expect(await one.enter("xai", call: "c", rules: short) == .probing, "an older answer closes nothing")
            await two.leave("xai", call: "b", rules: short, result: .succeeded, pauseMilliseconds: 0)
            #expect(await one.enter("xai", call: "c", rules: short) == .admitted(isProbe: false))
            await other.close()
        }
    }

    @Test("a probe that fails opens it again; one that says nothing leaves the probe to the next", .needsRedis)
    func failedProbe() async throws {
        try await Sample.use { loop, connection, keys in
            let board = ProviderBoard(connection: connection, keyspace: keys)
            func probe(_ call: String) async -> ProviderBoard.Entry? {
                var entry = await board.enter("xai", call: call, rules: rules(failures: 1, cooldown: 0))
                while case .open? = entry {
                    entry = await board.enter("xai", call: call, rules: rules(failures: 1, cooldown: 0))
                }
                return entry
            }
            _ = await board.enter("xai", call: "a", rules: rules(failures: 1))
            await board.leave(
                "xai", call: "a", rules: rules(failures: 1, cooldown: 0), result: .failed, pauseMilliseconds: 0)
            #expect(await probe("b") == .admitted(isProbe: true))
            await board.leave("xai", call: "b", rules: rules(), result: .neither, pauseMilliseconds: 0)
            #expect(await probe("c") == .admitted(isProbe: true))
            let standing = await board.leave("xai", call: "c", rules: rules(), result: .failed, pauseMilliseconds: 0)
            #expect(standing?.opened == true)
            guard case .open = await board.enter("xai", call: "d", rules: rules()) else {
                Issue.record("not open again")
                return
            }
        }
    }

    @Test("calls of all processes together stay below the cap, and a dead process's place is given back", .needsRedis)
    func cap() async throws {
        try await Sample.use { loop, connection, keys in
            let (one, two, other) = try await two(loop, connection, keys)
            #expect(await one.enter("openai", call: "a", rules: rules(cap: 2)) == .admitted(isProbe: false))
            #expect(await two.enter("openai", call: "b", rules: rules(cap: 2)) == .admitted(isProbe: false))
            #expect(await one.enter("openai", call: "c", rules: rules(cap: 2)) == .full)
            await two.leave("openai", call: "b", rules: rules(cap: 2), result: .succeeded, pauseMilliseconds: 0)
            #expect(await one.enter("openai", call: "c", rules: rules(cap: 2, lease: 0)) == .admitted(isProbe: false))
            // Nobody renewed its place.
            #expect(await two.enter("openai", call: "d", rules: rules(cap: 2)) == .admitted(isProbe: false))
            await other.close()
        }
    }

    @Test("a place that is renewed stays taken, and what Redis has lost is there again, above the cap too", .needsRedis)
    func renewal() async throws {
        try await Sample.use { loop, connection, keys in
            let (one, two, other) = try await two(loop, connection, keys)
            let brief = rules(cap: 1, lease: 0)
            #expect(await one.enter("openai", call: "a", rules: brief) == .admitted(isProbe: false))
            #expect(await one.renew("openai", calls: ["a"], rules: rules(cap: 1)))
            #expect(await two.enter("openai", call: "b", rules: rules(cap: 1)) == .full)
            _ = try await connection.send(RedisCommand("DEL", keys.provider("openai")))
            #expect(await two.enter("openai", call: "b", rules: rules(cap: 1)) == .admitted(isProbe: false))
            #expect(await one.renew("openai", calls: ["a"], rules: rules(cap: 1)))
            #expect(await two.view("openai", windowMilliseconds: 1)?.inFlight == 2)
            await two.leave("openai", call: "b", rules: brief, result: .succeeded, pauseMilliseconds: 0)
            #expect(await two.enter("openai", call: "c", rules: rules(cap: 1)) == .full)
            let life = try await connection.send(RedisCommand("PTTL", keys.provider("openai"))).integer ?? -1
            #expect((1...Int64(ProviderBoard.lifeMilliseconds)).contains(life))
            await other.close()
        }
    }

    @Test(
        "the probe of a process that died is somebody else's; the old one's renewal does not take it back", .needsRedis)
    func renewedProbe() async throws {
        try await Sample.use { loop, connection, keys in
            let (one, two, other) = try await two(loop, connection, keys)
            func probe(_ board: ProviderBoard, _ call: String, lease: Int64) async -> ProviderBoard.Entry? {
                var entry: ProviderBoard.Entry?
                repeat {
                    entry = await board.enter("xai", call: call, rules: rules(failures: 1, cooldown: 0, lease: lease))
                } while entry.map { if case .open = $0 { true } else { false } } ?? false
                return entry
            }
            _ = await one.enter("xai", call: "a", rules: rules(failures: 1))
            await one.leave(
                "xai", call: "a", rules: rules(failures: 1, cooldown: 0), result: .failed, pauseMilliseconds: 0)
            #expect(await probe(one, "b", lease: 0) == .admitted(isProbe: true))
            #expect(await one.renew("xai", calls: ["b"], rules: rules()))
            #expect(await probe(two, "c", lease: 60_000) == .probing, "renewed")
            #expect(await one.renew("xai", calls: ["b"], rules: rules(lease: 0)))
            #expect(await probe(two, "c", lease: 0) == .admitted(isProbe: true), "not renewed")
            #expect(await one.renew("xai", calls: ["b"], rules: rules()))
            #expect(await probe(two, "d", lease: 60_000) == .admitted(isProbe: true))
            await other.close()
        }
    }

    @Test("a provider that asks one process for patience is left alone by all; its keys expire", .needsRedis)
    func pause() async throws {
        try await Sample.use { loop, connection, keys in
            let (one, two, other) = try await two(loop, connection, keys)
            _ = await one.enter("mistral", call: "a", rules: rules())
            await one.leave("mistral", call: "a", rules: rules(), result: .failed, pauseMilliseconds: 7000)
            guard case .paused(let left) = await two.enter("mistral", call: "b", rules: rules()) else {
                Issue.record("not paused")
                return
            }
            #expect((1...7000).contains(left))
            _ = await two.enter("openai", call: "b", rules: rules())
            for key in [keys.breaker(provider: "mistral"), keys.provider("openai")] {
                let life = try await connection.send(RedisCommand("PTTL", key)).integer ?? -1
                #expect((1...Int64(ProviderBoard.lifeMilliseconds)).contains(life))
            }
            await other.close()
        }
    }

    @Test("without Redis there is no answer, at once")
    func away() async throws {
        let loop = try EventLoop()
        let connection = RedisConnection(loop: loop, configuration: RedisConfiguration(host: "127.0.0.1", port: 1))
        let board = ProviderBoard(connection: connection, keyspace: Keyspace(generation: 1))
        #expect(await board.enter("openai", call: "a", rules: rules()) == nil)
        #expect(await board.leave("openai", call: "a", rules: rules(), result: .failed, pauseMilliseconds: 0) == nil)
        loop.stop()
    }
}

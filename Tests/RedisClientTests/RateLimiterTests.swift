@testable import Messaging
import Platform
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Rate limit")
struct RateLimiterTests {
    @Test("a subject gets its limit at once, then one request per interval")
    func cell() {
        let table = LocalRateTable()
        let limit = RateLimit(limit: 3, window: .seconds(60))
        let start: Int64 = 1_000_000_000
        for remaining in [2, 1, 0] {
            let decision = table.admit("a", limit: limit, now: start)
            #expect(decision.isAllowed)
            #expect(decision.limit == 3)
            #expect(decision.remaining == remaining)
        }
        let refused = table.admit("a", limit: limit, now: start)
        #expect(!refused.isAllowed)
        #expect(refused.remaining == 0)
        #expect(refused.retryAfter == .seconds(20))
        #expect(refused.resetAfter == .seconds(60))
        #expect(table.admit("b", limit: limit, now: start).isAllowed)
        #expect(!table.admit("a", limit: limit, now: start + 19_999_999).isAllowed)
        #expect(table.admit("a", limit: limit, now: start + 20_000_000).isAllowed)
        #expect(!table.admit("a", limit: limit, now: start + 20_000_000).isAllowed)
        let rested = table.admit("a", limit: limit, now: start + 600_000_000)
        #expect(rested.remaining == 2)
        #expect(rested.resetAfter == .seconds(20))
    }

    @Test("the table of one process is bounded, and forgets full buckets first")
    func bounded() {
        let table = LocalRateTable()
        let limit = RateLimit(limit: 2, window: .seconds(60))
        for number in 0..<LocalRateTable.maxSubjects { _ = table.admit("\(number)", limit: limit, now: 0) }
        #expect(table.count == LocalRateTable.maxSubjects)
        let later: Int64 = 3_600_000_000
        _ = table.admit("new", limit: limit, now: later)
        #expect(table.count == 1)
        for number in 0..<LocalRateTable.maxSubjects { _ = table.admit("\(number)", limit: limit, now: later) }
        #expect(table.count <= LocalRateTable.maxSubjects)
    }

    @Test("Redis decides as the table does, and for all connections together", .needsRedis)
    func shared() async throws {
        try await Sample.use { loop, connection, keys in
            let other = RedisConnection(loop: loop, configuration: try TestRedis.configuration())
            try await other.connect()
            let limit = RateLimit(limit: 5, window: .seconds(3600))
            let one = RateLimiter(connection: connection, keyspace: keys, local: LocalRateTable())
            let two = RateLimiter(connection: other, keyspace: keys, local: LocalRateTable())
            let table = LocalRateTable()
            for number in 0..<8 {
                let decision = await (number.isMultiple(of: 2) ? one : two).admit(
                    scope: "api", subject: "s", limit: limit)
                let expected = table.admit("s", limit: limit, now: 0)
                #expect(decision.isAllowed == expected.isAllowed)
                #expect(decision.remaining == expected.remaining)
                #expect(decision.limit == 5)
                // Redis's clock moves on between the calls.
                #expect(abs((decision.resetAfter - expected.resetAfter).secondsValue) < 30)
                #expect(abs((decision.retryAfter - expected.retryAfter).secondsValue) < 30)
            }
            #expect(await one.admit(scope: "api", subject: "t", limit: limit).remaining == 4)
            #expect(await one.admit(scope: "login", subject: "s", limit: limit).remaining == 4)
            await other.close()
        }
    }

    @Test("while Redis is away the process limits by itself")
    func fallback() async throws {
        let loop = try EventLoop()
        defer { loop.stop() }
        let connection = RedisConnection(loop: loop, configuration: RedisConfiguration(host: "127.0.0.1", port: 1))
        let limiter = RateLimiter(connection: connection, keyspace: Keyspace(generation: 1), local: LocalRateTable())
        let limit = RateLimit(limit: 2)
        var allowed: [Bool] = []
        for _ in 0..<3 { allowed.append(await limiter.admit(scope: "api", subject: "s", limit: limit).isAllowed) }
        #expect(allowed == [true, true, false])
    }
}

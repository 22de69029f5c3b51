import Platform
package import RedisClient

/// Limits rates across all replicas, by Redis; while Redis is away each process limits by itself.
package struct RateLimiter: Sendable {
    /// A request waits no longer for Redis.
    package static let deadline = Duration.milliseconds(100)
    /// Longer subjects are cut.
    package static let maxSubjectBytes = 128

    private let connection: RedisConnection
    private let keyspace: Keyspace
    private let local: LocalRateTable

    /// - Parameter local: one per process, shared by its loops.
    package init(connection: RedisConnection, keyspace: Keyspace, local: LocalRateTable) {
        self.connection = connection
        self.keyspace = keyspace
        self.local = local
    }

    /// Counts one request of a subject and says whether it may pass. Never throws and never waits long.
    /// - Parameters:
    ///   - scope: from a closed set ("api", "login").
    ///   - subject: an address or an account's id; never a token.
    package func admit(scope: String, subject: String, limit: RateLimit) async -> RateDecision {
        let key = keyspace.rate(
            scope: scope, subject: String(decoding: subject.utf8.prefix(Self.maxSubjectBytes), as: UTF8.self))
        let numbers = [limit.windowMicroseconds, limit.intervalMicroseconds].map { Array(String($0).utf8) }
        guard
            let reply = try? await connection.run(Self.script, keys: [key], arguments: numbers, timeout: Self.deadline),
            let values = reply.array?.compactMap(\.integer), values.count == 4
        else { return local.admit(key, limit: limit) }
        return RateCell.decision(
            limit, allowed: values[0] == 1, remaining: values[1], reset: values[2], retry: values[3])
    }

    /// KEYS: the bucket. ARGV: window and interval in microseconds. RateCell.decide in Lua, by Redis's clock.
    private static let script = LuaScript(
        "rate-limit",
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local window, interval = tonumber(ARGV[1]), tonumber(ARGV[2])
        local start = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
        local next = start + interval
        if next - window > now then return {0, 0, start - now, next - window - now} end
        redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
        return {1, math.floor((now + window - next) / interval), next - now, 0}
        """)
}

/// The buckets of one process, for when Redis is away.
package final class LocalRateTable: Sendable {
    /// Subjects remembered; one more forgets those whose bucket is full, and if that is not enough, all.
    package static let maxSubjects = 10_000

    private let buckets = Lock([String: Int64]())

    package init() {}

    /// Counts one request of a subject in this process alone.
    package func admit(_ key: String, limit: RateLimit) -> RateDecision {
        admit(key, limit: limit, now: BootInstant.now().nanoseconds / 1000)
    }

    func admit(_ key: String, limit: RateLimit, now: Int64) -> RateDecision {
        buckets.withLock { buckets in
            let (keep, decision) = RateCell.decide(fullAt: buckets[key], now: now, limit: limit)
            guard let keep else { return decision }
            if buckets[key] == nil, buckets.count >= Self.maxSubjects {
                buckets = buckets.filter { $0.value > now }
                if buckets.count >= Self.maxSubjects { buckets = [:] }
            }
            buckets[key] = keep
            return decision
        }
    }

    var count: Int { buckets.withLock { $0.count } }
}

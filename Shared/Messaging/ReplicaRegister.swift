package import Contracts
package import Domain
import Platform
package import RedisClient

/// Who runs: each process of an installation beats here every few seconds, and whoever looks sees them all.
///
/// For people, not for the work: nothing is decided by it, and losing it is harmless. It goes by Redis's clock, so that
/// hosts whose clocks differ are not lost. One key a thing, a hash of entries and a sorted set of when each beat last;
/// both together have at most ``capacity`` entries and expire when nobody beats.
package struct ReplicaRegister: Sendable {
    /// Between two beats of a process.
    package static let beat = Duration.seconds(5)
    /// Three beats missed: the process is lost.
    package static let lostAfter = Duration.seconds(15)
    /// How long a lost one is still listed.
    package static let forgottenAfter = Duration.seconds(600)
    /// One more, and the one that is silent longest is forgotten.
    package static let capacity = 512
    /// Nobody waits longer for Redis.
    package static let deadline = Duration.seconds(1)

    /// One process that was heard.
    package struct Heard: Sendable {
        package let entry: ReplicaEntry
        package let seenAt: Timestamp
        package let silence: Duration
        package var isLost: Bool { silence > ReplicaRegister.lostAfter }
    }

    private let connection: RedisConnection
    private let keys: [String]
    private let capacity: Int

    /// - Parameters:
    ///   - prefix: `ARAGORA_REDIS_PREFIX`; the register belongs to no generation of the log, because a process that can
    ///     not reach Postgres is one to hear of.
    ///   - capacity: smaller in tests.
    package init(connection: RedisConnection, prefix: String, capacity: Int = ReplicaRegister.capacity) {
        self.connection = connection
        keys = [Keyspace.replicas(prefix: prefix), Keyspace.replicasSeen(prefix: prefix)]
        self.capacity = capacity
    }

    /// Says that a process is there, and how it stands.
    /// - Throws: ``RedisError``; the next beat tries again.
    package func beat(_ entry: ReplicaEntry) async throws(RedisError) {
        try await connection.run(
            Self.beatScript, keys: keys,
            arguments: [
                Array(entry.key.utf8), entry.bytes, Self.milliseconds(Self.forgottenAfter),
                Array(String(capacity).utf8),
            ], timeout: Self.deadline)
    }

    /// Takes a process out that ends as it should: it is not lost.
    /// - Throws: ``RedisError``; it is then lost, and forgotten.
    package func leave(_ entry: ReplicaEntry) async throws(RedisError) {
        _ = try await connection.send(
            [RedisCommand("HDEL", keys[0], entry.key), RedisCommand("ZREM", keys[1], entry.key)],
            timeout: Self.deadline)
    }

    /// Everybody that beat within ``forgottenAfter``, by service and instance. What can not be read is left out.
    /// - Throws: ``RedisError``.
    package func all() async throws(RedisError) -> [Heard] {
        let reply = try await connection.run(
            Self.listScript, keys: keys, arguments: [Self.milliseconds(Self.forgottenAfter)], timeout: Self.deadline)
        let rows = reply.array ?? []
        guard let now = rows.first?.integer else { return [] }
        return rows.dropFirst().compactMap { row -> Heard? in
            guard let pair = row.array, pair.count == 2, let bytes = pair[0].bytes,
                let seen = pair[1].text.flatMap(Int64.init), let entry = try? ReplicaEntry(decoding: bytes)
            else { return nil }
            return Heard(
                entry: entry, seenAt: Timestamp(milliseconds: seen), silence: .milliseconds(max(0, now - seen)))
        }.sorted { ($0.entry.service, $0.entry.instance) < ($1.entry.service, $1.entry.instance) }
    }

    private static func milliseconds(_ duration: Duration) -> [UInt8] {
        Array(String(Int64(duration / .milliseconds(1))).utf8)
    }

    /// KEYS: entries (hash), when each beat (sorted set). ARGV: key, entry, how long one is remembered, how many.
    private static let beatScript = LuaScript(
        "replica-beat",
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        redis.call('ZADD', KEYS[2], now, ARGV[1])
        local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[3]))
        local over = redis.call('ZCARD', KEYS[2]) - #gone - tonumber(ARGV[4])
        if over > 0 then
          gone = redis.call('ZRANGE', KEYS[2], 0, #gone + over - 1)
        end
        for _, key in ipairs(gone) do
          redis.call('HDEL', KEYS[1], key)
          redis.call('ZREM', KEYS[2], key)
        end
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        redis.call('PEXPIRE', KEYS[2], ARGV[3])
        return now
        """)

    /// KEYS: as above. ARGV: how long one is remembered. Changes nothing.
    private static let listScript = LuaScript(
        "replica-list",
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        local rows = {now}
        local seen = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. (now - tonumber(ARGV[1])), '+inf', 'WITHSCORES')
        for index = 1, #seen, 2 do
          local entry = redis.call('HGET', KEYS[1], seen[index])
          if entry then table.insert(rows, {entry, seen[index + 1]}) end
        end
        return rows
        """)
}

import Contracts
package import Domain
package import Platform
package import RedisClient
package import Sockets

/// Listens for rings, as one consumer of the group of workers.
///
/// Blocking reads have a connection of their own; acknowledgements go over the one that is given.
package actor DoorbellReader {
    /// A ring for one debate.
    package struct Delivery: Sendable {
        package let entryID: String
        package let debate: DebateID
        /// The trace of the request that asked, or empty.
        package let trace: String
    }

    package enum Outcome: Sendable {
        /// Possibly empty: nobody rang in time, or what came was unreadable.
        case deliveries([Delivery])
        /// The group was missing (first start, or Redis lost its data) and has been made again: ring for every queued row.
        case flushed
    }

    /// Rings fetched by one read or one reclaim.
    package static let maxBatch = 128

    package nonisolated let loop: EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let connection: RedisConnection
    private let blocking: RedisConnection
    private let keyspace: Keyspace
    private let consumer: String
    private let log: Log
    private var reclaimCursor = "0-0"
    private var way = ReadingWay()

    /// - Parameters:
    ///   - connection: for everything that does not block; stays the caller's.
    ///   - consumer: unique among the processes that live, e.g. the runner's id.
    package init(
        loop: EventLoop, configuration: RedisConfiguration, connection: RedisConnection, keyspace: Keyspace,
        consumer: String, log: Log = .disabled
    ) {
        self.loop = loop
        self.connection = connection
        self.keyspace = keyspace
        self.consumer = consumer
        self.log = log
        blocking = RedisConnection(loop: loop, configuration: configuration, log: log)
    }

    /// Waits for rings, at most `block`; returns at once when some are there. Call only with free slots.
    ///
    /// While Redis is away it waits just as long and then throws, so that a caller's loop does not spin.
    /// - Throws: ``RedisError``; `.closed` after ``close()`` or when the task is cancelled.
    package func read(max: Int = DoorbellReader.maxBatch, block: Duration) async throws(RedisError) -> Outcome {
        await blocking.start()
        try await blocking.waitUntilConnected(timeout: block)
        let count = Swift.min(Swift.max(1, max), Self.maxBatch)
        do {
            return .deliveries(try await deliveries(try await entries(count, within: block)))
        } catch  where error.serverCode == "NOGROUP" || error.serverCode == "UNBLOCKED" {
            return try await makeGroup() ? .flushed : .deliveries([])
        }
    }

    /// New entries, however this Redis lets them be read; none when the time is over.
    private func entries(_ count: Int, within block: Duration) async throws(RedisError) -> [RedisReply] {
        let begun = BootInstant.now()
        while true {
            do throws(RedisError) {
                switch way.current(now: begun) {
                case .blocking:
                    let found = try await entries(count, block: block)
                    guard way.answered(isEmpty: found.isEmpty, after: BootInstant.now().since(begun), of: block) else {
                        return found
                    }
                case .polling: return try await poll(count, for: block, since: begun)
                case .sweepOnly:
                    try await rest(block)
                    return []
                }
            } catch {
                guard way.refused(error, now: BootInstant.now()) else { throw error }
            }
            log.info("jobs are read another way", .state(way.name), .reason("redis refuses to block, or does not"))
        }
    }

    /// One read; with a time it waits inside Redis.
    private func entries(_ count: Int, block: Duration?) async throws(RedisError) -> [RedisReply] {
        let wait = block.map { ["BLOCK", String(Swift.max(1, $0.milliseconds))] } ?? []
        let command = RedisCommand(
            words: ["XREADGROUP", "GROUP", keyspace.jobsGroup, consumer, "COUNT", String(count)] + wait
                + ["STREAMS", keyspace.jobs, ">"])
        let reply =
            if let block { try await blocking.sendBlocking(command, block: block) } else {
                try await blocking.send(command)
            }
        // [[key, [entry, …]]], or null when the time is over.
        return reply.array?.first?.array?.last?.array ?? []
    }

    private func poll(_ count: Int, for block: Duration, since begun: BootInstant) async throws(RedisError)
        -> [RedisReply]
    {
        while true {
            let found = try await entries(count, block: nil)
            let left = block - BootInstant.now().since(begun)
            guard found.isEmpty, left > .zero else { return found }
            try await rest(Swift.min(left, ReadingWay.pollInterval))
        }
    }

    private func rest(_ duration: Duration) async throws(RedisError) {
        do { try await loop.sleep(for: duration) } catch { throw RedisError(.closed, "cancelled") }
    }

    /// Takes over rings that another consumer fetched and did not acknowledge for `minIdle`.
    ///
    /// Call now and then; each call goes on where the last one ended.
    package func reclaim(minIdle: Duration, max: Int = DoorbellReader.maxBatch) async throws(RedisError) -> [Delivery] {
        let command = RedisCommand(
            "XAUTOCLAIM", keyspace.jobs, keyspace.jobsGroup, consumer, String(Swift.max(0, minIdle.milliseconds)),
            reclaimCursor, "COUNT", String(Swift.min(Swift.max(1, max), Self.maxBatch)))
        let reply: RedisReply
        do {
            reply = try await connection.send(command)
        } catch  where error.serverCode == "NOGROUP" {
            return []  // the next read makes the group again, and says so
        }
        guard let parts = reply.array, parts.count >= 2, let cursor = parts[0].text, let entries = parts[1].array else {
            throw RedisError(.unexpectedReply, "XAUTOCLAIM")
        }
        reclaimCursor = cursor
        return try await deliveries(entries)
    }

    /// Removes rings that were claimed in Postgres, or found not claimable.
    package func acknowledge(_ entryIDs: [String]) async throws(RedisError) {
        guard !entryIDs.isEmpty else { return }
        let replies = try await connection.send([
            RedisCommand(words: ["XACK", keyspace.jobs, keyspace.jobsGroup] + entryIDs),
            RedisCommand(words: ["XDEL", keyspace.jobs] + entryIDs),
        ])
        for case .error(let text) in replies where !text.hasPrefix("NOGROUP") { throw RedisError(reply: text) }
    }

    /// Leaves the group, best effort, unless rings are still pending here; then ends the blocking connection.
    package func close() async {
        _ = try? await connection.run(
            Self.leaveScript, keys: [keyspace.jobs], arguments: [Array(keyspace.jobsGroup.utf8), Array(consumer.utf8)])
        await blocking.close()
    }

    // MARK: Entries

    private func deliveries(_ replies: [RedisReply]) async throws(RedisError) -> [Delivery] {
        var good: [Delivery] = []
        for reply in replies {
            guard let entry = StreamEntry(reply) else { continue }
            do throws(ContractError) {
                let job = try JobMessage(fields: entry.fields)
                guard let debate = DebateID(job.id) else {
                    throw ContractError(.malformed, "job without a debate's id")
                }
                good.append(Delivery(entryID: entry.id, debate: debate, trace: job.trace))
            } catch {
                try await reject(entry, error)
            }
        }
        return good
    }

    /// A version we do not know stays pending for a reader that knows it; what nobody can read goes to the dead stream.
    private func reject(_ entry: StreamEntry, _ error: ContractError) async throws(RedisError) {
        log.warning("job unreadable", .errorCode(error.code.rawValue), .error(error))
        guard error.code != .unknownVersion else { return }
        try await connection.send(DeadJobs.command(keyspace, fields: entry.fields, reason: error.description))
        try await acknowledge([entry.id])
    }

    /// From the stream's beginning, so that a ring between the loss and this moment counts. False when another worker
    /// was faster, and rings.
    private func makeGroup() async throws(RedisError) -> Bool {
        do {
            try await connection.send(
                RedisCommand("XGROUP", "CREATE", keyspace.jobs, keyspace.jobsGroup, "0", "MKSTREAM"))
            log.info("job group created")
            return true
        } catch  where error.serverCode == "BUSYGROUP" {
            return false
        }
    }

    private static let leaveScript = LuaScript(
        "doorbell-leave",
        """
        if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
        local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
        if #pending > 0 then return 0 end
        return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
        """)
}

package import Contracts
package import Domain
package import RedisClient

/// The copy of debates' logs in Redis: a stream per debate to replay from, and a channel to follow.
///
/// A cache that proves itself: entries carry their hash and the one before. Whoever reads more than one compares links.
package struct EventStream: Sendable {
    /// What became of a batch.
    package enum PublishOutcome: Sendable, Equatable {
        /// The stream ends with this event now.
        case published(last: Int64)
        /// The batch does not continue the stream, which ends here: publish from the next one.
        case gap(last: Int64)
        /// At this event the stream differed from the batch, so it has been deleted: publish all again.
        case conflict(at: Int64)
    }

    /// Events of one debate that the stream keeps, about.
    package static let maxEntries = 5000
    /// How long after its last event a debate's stream lives.
    package static let lifetime = Duration.seconds(6 * 3600)
    /// Events in one script call; more are sent in several.
    package static let maxBatch = 64
    /// Events in one read.
    package static let maxReadEntries = 128
    /// Publishing never holds up a run for longer.
    package static let publishDeadline = Duration.milliseconds(250)

    private let connection: RedisConnection
    private let keyspace: Keyspace

    package init(connection: RedisConnection, keyspace: Keyspace) {
        self.connection = connection
        self.keyspace = keyspace
    }

    /// Adds events to the stream and sends them to who follows live; events that are there already are skipped.
    ///
    /// - Parameter entries: of kind `.event`, contiguous, oldest first.
    /// - Throws: ``RedisError``; whatever was published before it is consistent, and publishing again is harmless.
    package func publish(
        _ debate: DebateID, _ entries: [PublishedEntry], timeout: Duration = EventStream.publishDeadline
    ) async throws(RedisError) -> PublishOutcome {
        precondition(!entries.isEmpty, "a batch has at least one event")
        var outcome = PublishOutcome.published(last: 0)
        for start in stride(from: 0, to: entries.count, by: Self.maxBatch) {
            outcome = try await publishBatch(
                debate, entries[start..<min(start + Self.maxBatch, entries.count)], timeout)
            guard case .published = outcome else { return outcome }
        }
        return outcome
    }

    /// The newest event of the stream; nil when there is no stream, or its last entry is unreadable.
    package func tail(_ debate: DebateID) async throws(RedisError) -> LogTail? {
        let reply = try await connection.send(
            RedisCommand("XREVRANGE", keyspace.events(debate), "+", "-", "COUNT", "1"))
        guard let entry = reply.array?.first.flatMap(Self.entry) else { return nil }
        return LogTail(seq: entry.seq, hash: entry.hash)
    }

    /// Events from `seq` on: those that follow each other without a gap and with the right links, at most `limit`.
    ///
    /// Empty when the stream does not have `seq`. Whether the run is the log's is for the caller to check, by the hash
    /// Postgres names.
    package func cached(_ debate: DebateID, from seq: Int64, limit: Int = EventStream.maxReadEntries)
        async throws(RedisError)
        -> [PublishedEntry]
    {
        let count = min(max(1, limit), Self.maxReadEntries)
        let reply = try await connection.send(
            RedisCommand("XRANGE", keyspace.events(debate), "\(seq)-0", "+", "COUNT", String(count)))
        var run: [PublishedEntry] = []
        for item in reply.array ?? [] {
            guard let entry = Self.entry(item), entry.seq == seq + Int64(run.count) else { break }
            if let last = run.last, last.hash != entry.prevHash { break }
            run.append(entry)
        }
        return run
    }

    /// Sends to who follows live, and keeps nothing: tokens and resets.
    package func publishTransient(_ debate: DebateID, _ entry: PublishedEntry) async throws(RedisError) {
        try await connection.send(
            RedisCommand(publishing, keyspace.live(debate), arguments: [entry.bytes]), timeout: Self.publishDeadline)
    }

    /// In a cluster a message stays with the node that has the debate, instead of going through all of them.
    private var publishing: String { connection.isCluster ? "SPUBLISH" : "PUBLISH" }

    /// Deletes a stream that is ahead of the log or differs from it.
    package func forget(_ debate: DebateID) async throws(RedisError) {
        try await connection.send(RedisCommand("DEL", keyspace.events(debate)))
    }

    // MARK: Publishing

    private func publishBatch(
        _ debate: DebateID, _ entries: ArraySlice<PublishedEntry>, _ timeout: Duration
    ) async throws(RedisError) -> PublishOutcome {
        let limits = [
            String(Self.maxEntries), String(Self.lifetime.components.seconds), PublishedEntry.streamField, publishing,
        ]
        var arguments = ([keyspace.live(debate)] + limits).map { Array($0.utf8) }
        for entry in entries { arguments += [Array(String(entry.seq).utf8), entry.bytes] }
        let reply = try await connection.run(
            Self.publishScript, keys: [keyspace.events(debate)], arguments: arguments, timeout: timeout)
        guard let parts = reply.array, parts.count == 2, let seq = parts[1].integer else {
            throw RedisError(.unexpectedReply, "publish script")
        }
        switch parts[0].text {
        case "published": return .published(last: seq)
        case "gap": return .gap(last: seq)
        case "conflict": return .conflict(at: seq)
        default: throw RedisError(.unexpectedReply, "publish script")
        }
    }

    /// An entry of the stream, whose id must agree with its header.
    private static func entry(_ reply: RedisReply) -> PublishedEntry? {
        guard let raw = StreamEntry(reply), let bytes = raw.value(PublishedEntry.streamField),
            let entry = try? PublishedEntry(decoding: bytes), entry.kind == .event, raw.id == "\(entry.seq)-0"
        else { return nil }
        return entry
    }

    /// KEYS: the stream. ARGV: channel, MAXLEN, seconds to live, field, PUBLISH or SPUBLISH, then (seq, entry) pairs. Key
    /// and channel are in one slot, by the braces around the debate's id.
    ///
    /// Bytes 19 to 50 of an entry are its hash, 51 to 82 the hash before (PublishedEntry). The stream's own last id is
    /// the cursor: an event at or before it must be the same event (or trimmed away), the next one must link to it.
    private static let publishScript = LuaScript(
        "publish-events",
        """
        local stream, channel, field = KEYS[1], ARGV[1], ARGV[4]
        local function hash(entry) return string.sub(entry, 19, 50) end
        local function conflict(seq)
          redis.call('DEL', stream)
          return {'conflict', seq}
        end
        local last, lastHash = 0, nil
        local tail = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
        if tail then
          last, lastHash = tonumber(string.match(tail[1], '^(%d+)')), hash(tail[2][2])
        end
        for i = 6, #ARGV, 2 do
          local seq, entry = tonumber(ARGV[i]), ARGV[i + 1]
          if seq <= last then
            local known = redis.call('XRANGE', stream, ARGV[i] .. '-0', ARGV[i] .. '-0')[1]
            if known and hash(known[2][2]) ~= hash(entry) then return conflict(seq) end
          elseif last > 0 and seq > last + 1 then
            return {'gap', last}
          else
            if lastHash and string.sub(entry, 51, 82) ~= lastHash then return conflict(seq) end
            redis.call('XADD', stream, 'MAXLEN', '~', ARGV[2], ARGV[i] .. '-0', field, entry)
            redis.call(ARGV[5], channel, entry)
            last, lastHash = seq, hash(entry)
          end
        end
        redis.call('EXPIRE', stream, ARGV[3])
        return {'published', last}
        """)
}

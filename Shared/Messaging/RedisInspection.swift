import Contracts
package import Domain
package import RedisClient

/// Looks at what an installation keeps in Redis, for `doctor`. Reads only.
package struct RedisInspection: Sendable {
    /// Rings that are read at most; behind more, a missing one is not looked for.
    package static let maxRings = 20_000
    static let scanCount = 1000
    static let maxScans = 20
    static let maxSampled = 64

    private let connection: RedisConnection
    private let keyspace: Keyspace

    package init(connection: RedisConnection, keyspace: Keyspace) {
        self.connection = connection
        self.keyspace = keyspace
    }

    /// The debates that the jobs stream announces; nil when it is too long to be read here.
    package func announced() async throws(RedisError) -> Set<DebateID>? {
        let reply = try await connection.send(
            RedisCommand("XRANGE", keyspace.jobs, "-", "+", "COUNT", String(Self.maxRings)))
        let entries = reply.array ?? []
        guard entries.count < Self.maxRings else { return nil }
        var found: Set<DebateID> = []
        for case let entry? in entries.map(StreamEntry.init) {
            if let job = try? JobMessage(fields: entry.fields), let debate = DebateID(job.id) { found.insert(debate) }
        }
        return found
    }

    /// Entries of the dead stream, and what the stream is called.
    package func dead() async throws(RedisError) -> (count: Int, stream: String) {
        (try await Doorbell(connection: connection, keyspace: keyspace).deadCount(), keyspace.deadJobs)
    }

    /// What of the log's copies was looked at.
    package struct Copies: Sendable {
        /// Generations other than the keyspace's, as the keys spell them.
        package var foreign: Set<String> = []
        /// Some debates of this generation, and the newest event that Redis has of each.
        package var newest: [(debate: DebateID, seq: Int64)] = []
    }

    /// A bounded look at the streams of events.
    package func copies() async throws(RedisError) -> Copies {
        var copies = Copies()
        var sampled: Set<DebateID> = []
        for key in try await connection.scan(
            match: keyspace.copiesPattern, count: Self.scanCount, rounds: Self.maxScans)
        {
            guard let debate = keyspace.debate(ofEventsKey: key) else {
                if let tag = keyspace.foreignGeneration(ofKey: key) { copies.foreign.insert(tag) }
                continue
            }
            if sampled.count < Self.maxSampled { sampled.insert(debate) }
        }
        let debates = Array(sampled)
        let replies = try await connection.send(
            debates.map { RedisCommand("XREVRANGE", keyspace.events($0), "+", "-", "COUNT", "1") })
        for (debate, reply) in zip(debates, replies) {
            guard let entry = reply.array?.first.flatMap(StreamEntry.init) else { continue }
            if let seq = Int64(entry.id.prefix { $0 != "-" }) { copies.newest.append((debate, seq)) }
        }
        return copies
    }
}

import Contracts
package import Domain
package import RedisClient

/// Rings for debates that wait: an entry in the jobs stream. The row in Postgres is the truth; a ring that is lost is
/// made good by the sweep.
package struct Doorbell: Sendable {
    /// About how many entries the stream keeps; older rings are dropped.
    package static let maxEntries = 100_000
    /// Rings sent in one go.
    static let maxBatch = 512

    private let connection: RedisConnection
    private let keyspace: Keyspace

    package init(connection: RedisConnection, keyspace: Keyspace) {
        self.connection = connection
        self.keyspace = keyspace
    }

    /// Rings for one debate.
    /// - Parameter trace: the trace of the request that asked, as W3C Trace Context writes it.
    /// - Throws: ``RedisError``; the caller goes on, the sweep rings again.
    package func ring(_ debate: DebateID, trace: String = "") async throws(RedisError) {
        try await connection.send(command(JobMessage(kind: .debate, id: debate.text, trace: trace)))
    }

    /// Rings for many, after the stream was lost.
    /// - Throws: ``RedisError`` of the first that failed; the ones before it have rung.
    package func ring(all debates: [DebateID]) async throws(RedisError) {
        for start in stride(from: 0, to: debates.count, by: Self.maxBatch) {
            let part = debates[start..<min(start + Self.maxBatch, debates.count)]
            let replies = try await connection.send(part.map { command(JobMessage(kind: .debate, id: $0.text)) })
            for case .error(let text) in replies { throw RedisError(reply: text) }
        }
    }

    /// Puts a debate that was given up where people see it.
    package func bury(_ debate: DebateID, reason: String) async throws(RedisError) {
        let job = JobMessage(kind: .debate, id: debate.text)
        try await connection.send(DeadJobs.command(keyspace, fields: job.fields, reason: reason))
    }

    /// Entries of the dead stream.
    package func deadCount() async throws(RedisError) -> Int {
        Int(try await connection.send(RedisCommand("XLEN", keyspace.deadJobs)).integer ?? 0)
    }

    /// The newest entries of the dead stream: which debate, why, and when.
    package func dead(limit: Int) async throws(RedisError) -> [DeadJob] {
        let reply = try await connection.send(
            RedisCommand("XREVRANGE", keyspace.deadJobs, "+", "-", "COUNT", String(limit)))
        func text(_ entry: StreamEntry, _ name: String) -> String? {
            entry.value(name).map { String(decoding: $0, as: UTF8.self) }
        }
        return (reply.array ?? []).compactMap(StreamEntry.init).compactMap { entry in
            guard let id = text(entry, "id"), let milliseconds = Int64(entry.id.prefix { $0 != "-" }) else {
                return nil
            }
            return DeadJob(
                entry: entry.id, id: id, reason: text(entry, "reason") ?? "", at: Timestamp(milliseconds: milliseconds))
        }
    }

    /// Takes an entry out of the dead stream.
    /// - Returns: false when it was not there any more.
    package func remove(_ job: DeadJob) async throws(RedisError) -> Bool {
        try await connection.send(RedisCommand("XDEL", keyspace.deadJobs, job.entry)).integer == 1
    }

    private func command(_ job: JobMessage) -> RedisCommand {
        RedisCommand(
            words: ["XADD", keyspace.jobs, "MAXLEN", "~", String(Self.maxEntries), "*"],
            arguments: job.fields.flatMap { [Array($0.name.utf8), $0.value] })
    }
}

/// A job that was given up.
package struct DeadJob: Sendable, Hashable {
    /// Where it stands in the stream.
    package let entry: String
    /// Of a debate, or whatever stood in the entry.
    package let id: String
    package let reason: String
    package let at: Timestamp
}

/// The form of an entry of the dead stream: the job's fields and why.
enum DeadJobs {
    /// About how many entries are kept.
    static let maxEntries = 10_000
    static let maxReasonBytes = 500

    static func command(_ keyspace: Keyspace, fields: [(name: String, value: [UInt8])], reason: String) -> RedisCommand
    {
        let all = fields.filter { $0.name != "reason" } + [("reason", Array(reason.utf8.prefix(maxReasonBytes)))]
        return RedisCommand(
            words: ["XADD", keyspace.deadJobs, "MAXLEN", "~", String(maxEntries), "*"],
            arguments: all.flatMap { [Array($0.name.utf8), $0.value] })
    }
}

import Domain

/// Where a debate stands in Postgres.
struct FeedTail: Sendable, Equatable {
    var tail: LogTail
    var status: DebateStatus
    /// Whose debate it is; nil for one from before there were organizations.
    var organization: OrganizationID?
    /// The trace of the request that asked for it; empty for none.
    var traceparent = ""
}

/// The durable log, as the gateway reads it.
protocol LogSource: Sendable {
    /// Where the debate stands now; nil when there is no such debate.
    func tail(of debate: DebateID) async throws -> FeedTail?
    /// Events from `seq` on, contiguous, at most `limit`.
    /// - Throws: ``LogRemoved`` for a debate whose events are not there any more.
    func entries(of debate: DebateID, from seq: Int64, limit: Int) async throws -> [FeedEntry]
    /// Where many debates stand, in one query.
    func newest(of debates: [DebateID]) async throws -> [DebateID: FeedTail]
}

/// The cache and the live channel in Redis: faster than the log, never trusted beyond what its hashes prove.
protocol LiveSource: Sendable {
    /// Whether live messages are arriving; while false the hub polls Postgres more often.
    var isUp: Bool { get async }
    /// Bytes that Redis has sent and this loop has not read.
    var unreadBytes: Int { get async }
    /// Returns when Redis has confirmed the subscription; false while it is away (it subscribes when it is back).
    func subscribe(_ debate: DebateID) async -> Bool
    func unsubscribe(_ debate: DebateID) async
    /// Cached events from `seq` on, at most `limit`; empty when the cache has none or is away.
    func cached(_ debate: DebateID, from seq: Int64, limit: Int) async -> [FeedEntry]
}

import Domain
import Storage

/// The log as Postgres has it: the truth behind everything a viewer gets.
struct PostgresLogSource: LogSource {
    let log: PostgresEventLog
    let debates: DebateStore
    let retention: EventRetentionStore

    func tail(of debate: DebateID) async throws -> FeedTail? {
        try await debates.newest(of: debate).map {
            FeedTail(
                tail: $0.tail, status: $0.status, organization: $0.organization, traceparent: $0.traceparent)
        }
    }

    func entries(of debate: DebateID, from seq: Int64, limit: Int) async throws -> [FeedEntry] {
        let page = try await log.read(debate, from: seq, limit: limit)
        if page.isEmpty, try await retention.isRemoved(debate) { throw LogRemoved() }
        return page.map { FeedEntry($0, debate: debate) }
    }

    func newest(of debates: [DebateID]) async throws -> [DebateID: FeedTail] {
        var found: [DebateID: FeedTail] = [:]
        for newest in try await self.debates.newest(of: debates) {
            found[newest.debate] = FeedTail(
                tail: newest.tail, status: newest.status, organization: newest.organization,
                traceparent: newest.traceparent)
        }
        return found
    }
}

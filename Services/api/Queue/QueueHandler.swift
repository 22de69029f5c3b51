import Contracts
import Domain
import HTTP
import Messaging
import ServiceKit
import Storage

/// The queue for those who look after it: what waits and runs, who runs it, what was given up.
struct QueueHandler: Sendable {
    static let stalledAfter = Duration.seconds(60)
    static let statuses = ["pending", "running", "paused"]

    let stores: APIStores

    func jobs(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        var status: DebateStatus?
        if let word = query.text("status", maxCharacters: 16) {
            status = DebateStatus.allCases.first { !$0.isTerminal && $0.clientText == word }
            if status == nil { query.refuse("status", "must be one of \(Self.statuses.joined(separator: ", "))") }
        }
        try query.finish()
        return try await jobs(status: status, stalledFor: nil, limit, offset)
    }

    /// Running debates without progress for a minute.
    func stale(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        try query.finish()
        return try await jobs(status: .running, stalledFor: Self.stalledAfter, limit, offset)
    }

    func workers(_ request: Request, _ context: RequestContext) async throws -> Response {
        let runners: [LiveRunner]
        do { runners = try await stores.queue.runners() } catch { throw APIError.unavailable(error) }
        let rows = runners.map {
            QueueBody.worker(
                $0.id, kind: $0.kind, startedAt: $0.startedAt, expiresAt: $0.expiresAt, capacity: $0.capacity,
                running: $0.running, isLive: $0.isLive)
        }
        return list("workers", rows)
    }

    func dead(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let limit = query.int("limit", default: 50, in: QueueReader.limitRange)
        try query.finish()
        guard let found = await stores.dead(limit: limit) else { throw APIError(.unavailable) }
        return list("jobs", found.map { QueueBody.dead($0.id, reason: $0.reason, at: $0.at) })
    }

    /// Removes what has no more use: idempotency keys of yesterday, links that have expired.
    func cleanUp(_ request: Request, _ context: RequestContext) async throws -> Response {
        do {
            let keys = try await stores.debates.purgeIdempotencyKeys()
            let shares = try await stores.shares.purge()
            return .json(CanonicalJSON.encode(QueueBody.cleaned(keys: keys, shares: shares)))
        } catch { throw APIError.unavailable(error) }
    }

    private func jobs(
        status: DebateStatus?, stalledFor: Duration?, _ limit: Int, _ offset: Int
    ) async throws -> Response {
        let page: Page<QueuedJob>
        do {
            page = try await stores.queue.jobs(status: status, stalledFor: stalledFor, limit: limit, offset: offset)
        } catch { throw APIError.unavailable(error) }
        let rows = page.items.map {
            QueueBody.job(
                $0.debate, topic: $0.topic, status: $0.status, priority: $0.priority, owner: $0.owner, epoch: $0.epoch,
                attempts: $0.attempts, queuedAt: $0.queuedAt, lastProgressAt: $0.lastProgressAt, deadline: $0.deadline)
        }
        return .json(
            CanonicalJSON.encode(PageBody.make("jobs", items: rows, total: page.total, limit: limit, offset: offset)))
    }

    private func list(_ name: String, _ rows: [JSONValue]) -> Response {
        .json(CanonicalJSON.encode(PageBody.make(name, items: rows, total: rows.count, limit: rows.count, offset: 0)))
    }

    private static func page(_ query: inout QueryReader) -> (limit: Int, offset: Int) {
        (
            query.int("limit", default: 50, in: QueueReader.limitRange),
            query.int("offset", default: 0, in: 0...1_000_000)
        )
    }
}

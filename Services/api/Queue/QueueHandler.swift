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
    let branches: BranchesHandler
    let housekeeper: Housekeeper

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
        return list("workers", runners.map(Self.body))
    }

    static func body(_ runner: LiveRunner) -> JSONValue {
        QueueBody.worker(
            runner.id, kind: runner.kind, startedAt: runner.startedAt, expiresAt: runner.expiresAt,
            capacity: runner.capacity, running: runner.running, isLive: runner.isLive)
    }

    static func body(_ job: QueuedJob) -> JSONValue {
        QueueBody.job(
            job.debate, topic: job.topic, status: job.status, priority: job.priority, owner: job.owner,
            epoch: job.epoch, attempts: job.attempts, queuedAt: job.queuedAt, lastProgressAt: job.lastProgressAt,
            deadline: job.deadline)
    }

    func dead(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let limit = query.int("limit", default: 50, in: QueueReader.limitRange)
        try query.finish()
        guard let found = await stores.dead(limit: limit) else { throw APIError(.unavailable) }
        return list("jobs", found.map { QueueBody.dead($0.id, reason: $0.reason, at: $0.at) })
    }

    /// Asks again for what was given up: a debate that is over is asked for anew, one that is not is rung for.
    func requeue(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try RequeueRequest.parse(request.body)
        guard let found = await stores.dead(limit: QueueReader.limitRange.upperBound) else {
            throw APIError(.unavailable)
        }
        let chosen = wish.jobs.map { ids in found.filter { ids.contains($0.id) } } ?? found
        var (requeued, skipped): ([JSONValue], [JSONValue]) = ([], [])
        for id in (wish.jobs ?? []).filter({ id in !found.contains { $0.id == id } }) {
            skipped.append(QueueBody.skipped(id, reason: "is no dead job"))
        }
        for job in chosen {
            // Whoever takes it out is the one who asks again.
            guard await stores.takeDead(job) else { continue }
            do {
                requeued.append(QueueBody.requeued(job.id, as: try await branches.again(job.id, context)))
            } catch {
                await stores.bury(job)
                let reason = (error as? APIError)?.message ?? (error as? APIError)?.code.sentence
                skipped.append(QueueBody.skipped(job.id, reason: reason ?? "could not be asked for again"))
            }
        }
        return .json(CanonicalJSON.encode(QueueBody.requeue(requeued, skipped: skipped)))
    }

    /// Removes now what a process removes now and then; nothing while one is at it.
    func cleanUp(_ request: Request, _ context: RequestContext) async throws -> Response {
        let removed: [ExpiredRows.Kind: Int]
        do throws(StorageError) { removed = try await housekeeper.pass() ?? [:] } catch {
            throw APIError.unavailable(error)
        }
        let rows = ExpiredRows.Kind.allCases.map { ($0.rawValue, removed[$0] ?? 0) }
        return .json(
            CanonicalJSON.encode(
                QueueBody.cleaned(
                    keys: removed[.idempotencyKeys] ?? 0,
                    shares: (removed[.debateShares] ?? 0) + (removed[.receiptShares] ?? 0), rows: rows)))
    }

    private func jobs(
        status: DebateStatus?, stalledFor: Duration?, _ limit: Int, _ offset: Int
    ) async throws -> Response {
        let page: Page<QueuedJob>
        do {
            page = try await stores.queue.jobs(status: status, stalledFor: stalledFor, limit: limit, offset: offset)
        } catch { throw APIError.unavailable(error) }
        let rows = page.items.map(Self.body)
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

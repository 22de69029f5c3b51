import Contracts
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// `GET /api/debates` and `/api/debates/active`.
struct ListDebatesHandler: Sendable {
    let stores: APIStores

    func list(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        var filter = DebateFilter(within: context.caller.reach)
        filter.limit = query.int("limit", default: 20, in: DebateFilter.limitRange)
        filter.offset = query.int("offset", default: 0, in: 0...1_000_000)
        filter.text = query.text("q", maxCharacters: 200)
        filter.agent = query.text("agent", maxCharacters: 64)
        filter.tag = query.text("tag", maxCharacters: UpdateDebateRequest.maximumTagCharacters)
        filter.organization = query.text("org", maxCharacters: 64)
        filter.since = query.time("since")
        filter.until = query.time("until")
        if let word = query.text("status", maxCharacters: 32) {
            if let statuses = DebateStatus.matching(word) {
                filter.statuses = statuses
            } else {
                query.refuse(
                    "status", "must be one of active, pending, running, paused, completed, failed, cancelled, timeout")
            }
        }
        let place = query.text("cursor", maxCharacters: DebateCursor.maximumCharacters)
        let cursor = place.flatMap(DebateCursor.init)
        if let place, place != DebateCursor.start {
            if cursor == nil { query.refuse("cursor", "must be `next_cursor` of an answer, or `start`") }
            if filter.offset > 0 { query.refuse("offset", "goes without a cursor only") }
        }
        try query.finish()
        if place != nil { return try await list(filter, after: cursor) }
        let page: Page<DebateSummary>
        do { page = try await stores.debates.list(filter) } catch { throw APIError.unavailable(error) }
        let rows = page.items.map { DebateBody($0).row }
        return .json(
            CanonicalJSON.encode(
                PageBody.make(
                    "debates", items: rows, total: page.total, limit: filter.limit, offset: filter.offset)))
    }

    private func list(_ filter: DebateFilter, after cursor: DebateCursor?) async throws -> Response {
        let found: (items: [DebateSummary], hasMore: Bool)
        do { found = try await stores.debates.list(filter, after: cursor) } catch { throw APIError.unavailable(error) }
        let next = found.hasMore ? found.items.last.map { DebateCursor($0).text } : nil
        return .json(
            CanonicalJSON.encode(
                PageBody.uncounted(
                    "debates", items: found.items.map { DebateBody($0).row }, limit: filter.limit, next: next)))
    }

    func active(_ request: Request, _ context: RequestContext) async throws -> Response {
        let active: [ActiveDebate]
        do { active = try await stores.debates.active(within: context.caller.reach) } catch {
            throw APIError.unavailable(error)
        }
        let now = WallClock.nowMilliseconds()
        let rows = active.map { debate -> JSONValue in
            var body = DebateBody(debate.summary)
            body.roundsUsed = debate.round
            return ActiveRow.json(body, now: now)
        }
        return .json(
            CanonicalJSON.encode(PageBody.make("debates", items: rows, total: rows.count, limit: rows.count, offset: 0))
        )
    }
}

extension DebateBody {
    init(_ summary: DebateSummary) {
        self.init(
            id: summary.id, slug: summary.slug, topic: summary.topic, status: summary.status, agents: summary.agents,
            rounds: summary.rounds, consensus: summary.consensus, createdAt: summary.createdAt)
        isDemo = summary.usesDemoAgents
        parent = summary.parent
        branchPoint = summary.branchPoint
        title = summary.title
        tags = summary.tags
        isArchived = summary.isArchived
        guard let result = summary.result else { return }
        roundsUsed = result.roundsUsed
        completedAt = result.completedAt
        duration = result.duration
        consensusReached = result.consensusReached
        confidence = result.confidence
        agreement = result.agreement
        winner = result.winner
        reason = result.reason
        cost = result.cost
    }

    /// The debate with what its log says.
    init(_ record: DebateRecord, _ transcript: Transcript) {
        self.init(record.summary)
        context = record.context
        isErased = record.erasedAt != nil
        isExpired = transcript.isExpired
        metadata = record.metadata
        finalAnswer = record.finalAnswer
        roundsUsed = max(roundsUsed, transcript.round)
        messages = transcript.messages
        failures = transcript.failures
        insight = transcript.end?.insight
        knowledge = transcript.knowledge(panel: agents)
        supporting = transcript.decision?.supporting ?? []
        dissenting = transcript.decision?.dissenting.map(\.agent) ?? []
    }
}

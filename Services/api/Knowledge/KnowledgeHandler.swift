import Contracts
import Crypto
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// What the caller's organization knows: search, facts, counts (contract §10).
struct KnowledgeHandler: Sendable {
    static let maxOffset = 1_000_000
    static let maxQueryCharacters = 500

    let stores: APIStores

    func search(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let text = query.text("q", maxCharacters: Self.maxQueryCharacters)
        if text == nil { query.refuse("q", "is required") }
        let limit = query.int("limit", default: 10, in: KnowledgeFilter.limitRange)
        let offset = query.int("offset", default: 0, in: 0...Self.maxOffset)
        let isOwn = Self.isOwn(query.text("workspace_id", maxCharacters: 128), context)
        try query.finish()
        let page =
            try await isOwn
            ? read {
                try await stores.knowledge.search(
                    text ?? "", in: context.caller.organization, limit: limit, offset: offset)
            } : Page(items: [], total: 0)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        return json(
            PageBody.make(
                "results", items: page.items.map { KnowledgeBody($0.item, now: now, score: $0.score).json },
                total: page.total, limit: limit, offset: offset, extra: [("query", .string(text ?? ""))]))
    }

    func facts(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        var filter = KnowledgeFilter()
        filter.limit = query.int("limit", default: 50, in: KnowledgeFilter.limitRange)
        filter.offset = query.int("offset", default: 0, in: 0...Self.maxOffset)
        filter.topic = query.text("topic", maxCharacters: 200) ?? query.text("tag", maxCharacters: 200)
        if let text = query.text("min_confidence", maxCharacters: 32) {
            if let value = Double(text), (0...1).contains(value) {
                filter.minConfidence = Ratio(value)
            } else {
                query.refuse("min_confidence", "must be a number from 0 to 1")
            }
        }
        if let source = query.text("source", maxCharacters: 32) {
            filter.kind = source == "debate" ? .conclusion : .fact
        }
        let isOwn = Self.isOwn(query.text("workspace_id", maxCharacters: 128), context)
        // Facts have no life cycle here: all are active.
        let isActive = query.text("status", maxCharacters: 32).map { ["active", "unverified"].contains($0) } ?? true
        try query.finish()
        let page =
            try await isOwn && isActive
            ? read { try await stores.knowledge.list(filter, in: context.caller.organization) }
            : Page(items: [], total: 0)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        return json(
            PageBody.make(
                "facts", items: page.items.map { KnowledgeBody($0, now: now).json }, total: page.total,
                limit: filter.limit, offset: filter.offset))
    }

    func create(_ request: Request, _ context: RequestContext) async throws -> Response {
        let input = try FactRequest.parse(request.body)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        let fact = KnowledgeItem(
            id: KnowledgeID(milliseconds: now.milliseconds, random: try RandomBytes.make(10)), kind: .fact,
            content: input.statement, confidence: input.confidence, topics: input.topics,
            metadata: CanonicalJSON.encode(input.metadata), createdBy: context.caller.subject, createdAt: now)
        try await read { try await stores.knowledge.add(fact, to: context.caller.organization) }
        return json(KnowledgeBody(fact, now: now).json)
    }

    func get(_ request: Request, _ context: RequestContext) async throws -> Response {
        guard let id = KnowledgeID(context.parameter("fact")),
            let item = try await read({ try await stores.knowledge.item(id, in: context.caller.organization) })
        else { throw APIError(.knowledgeNotFound) }
        return json(KnowledgeBody(item, now: Timestamp(milliseconds: WallClock.nowMilliseconds())).json)
    }

    func remove(_ request: Request, _ context: RequestContext) async throws -> Response {
        let organization = context.caller.organization
        guard let id = KnowledgeID(context.parameter("fact")),
            let item = try await read({ try await stores.knowledge.item(id, in: organization) })
        else { throw APIError(.knowledgeNotFound) }
        guard context.caller.mayChange(ownedBy: UserID(item.createdBy), subject: item.createdBy) else {
            throw APIError.denied(.knowledgeUpdate, "this is somebody else's")
        }
        guard try await read({ try await stores.knowledge.remove(id, from: organization) }) else {
            throw APIError(.knowledgeNotFound)
        }
        return json(["success": true, "id": .string(id.text), "deleted": true])
    }

    func stats(_ request: Request, _ context: RequestContext) async throws -> Response {
        let counts = try await read { try await stores.knowledge.counts(in: context.caller.organization) }
        return json(
            KnowledgeBody.stats(
                conclusions: counts.conclusions, facts: counts.facts, confidence: counts.confidence,
                newest: counts.newest, oldest: counts.oldest, recalls: counts.recalls,
                organization: context.caller.organization.text))
    }

    /// The official client calls everybody's own workspace `default`.
    private static func isOwn(_ workspace: String?, _ context: RequestContext) -> Bool {
        workspace.map { $0 == "default" || $0 == context.caller.organization.text } ?? true
    }

    private func read<Value>(_ work: () async throws -> Value) async throws -> Value {
        do { return try await work() } catch { throw APIError.unavailable(error) }
    }

    private func json(_ value: JSONValue) -> Response { .json(CanonicalJSON.encode(value)) }
}

extension KnowledgeBody {
    init(_ item: KnowledgeItem, now: Timestamp, score: Ratio? = nil) {
        self.init(
            id: item.id, isConclusion: item.kind == .conclusion, debate: item.debate, receipt: item.receipt,
            question: item.question, content: item.content, confidence: item.confidence, agreement: item.agreement,
            isDemo: item.isDemo, topics: item.topics, metadata: item.metadata, createdBy: item.createdBy,
            createdAt: item.createdAt, now: now, score: score)
    }
}

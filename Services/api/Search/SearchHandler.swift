import Contracts
import Domain
import HTTP
import ServiceKit
import Storage

/// `GET` and `POST /api/search`: debates by the words of question, context, title and answer, the best first.
struct SearchHandler: Sendable {
    let stores: APIStores

    func get(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        var filter = DebateFilter(within: context.caller.reach)
        filter.limit = query.int("limit", default: 20, in: DebateFilter.limitRange)
        filter.offset = query.int("offset", default: 0, in: SearchRequest.offsetRange)
        filter.domain = query.text("domain", maxCharacters: 64)
        filter.tag = query.text("tag", maxCharacters: UpdateDebateRequest.maximumTagCharacters)
        filter.since = query.time("since")
        filter.until = query.time("until")
        if let word = query.text("status", maxCharacters: 32) {
            if let statuses = DebateStatus.matching(word) {
                filter.statuses = statuses
            } else {
                query.refuse("status", "must be one of \(DebateStatus.filterWords.joined(separator: ", "))")
            }
        }
        filter.text =
            query.text("query", maxCharacters: SearchRequest.maximumCharacters)
            ?? query.text("q", maxCharacters: SearchRequest.maximumCharacters)
        if request.query["query"] == nil && request.query["q"] == nil { query.refuse("query", "is required") }
        try query.finish()
        return try await found(filter)
    }

    func post(_ request: Request, _ context: RequestContext) async throws -> Response {
        let wish = try SearchRequest.parse(request.body)
        var filter = DebateFilter(within: context.caller.reach)
        filter.text = wish.query
        filter.limit = wish.limit
        filter.offset = wish.offset
        return try await found(filter)
    }

    private func found(_ filter: DebateFilter) async throws -> Response {
        var filter = filter
        // Without a word there is nothing to find; the filter would take no text for no condition.
        filter.text = filter.text ?? ""
        let page: Page<FoundDebate>
        do { page = try await stores.debates.search(filter) } catch { throw APIError.unavailable(error) }
        return .json(
            CanonicalJSON.encode(
                SearchBody.page(
                    page.items.map { (DebateBody($0.summary), $0.rank, $0.snippet) }, query: filter.text ?? "",
                    total: page.total, limit: filter.limit, offset: filter.offset)))
    }
}

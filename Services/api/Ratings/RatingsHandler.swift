import Contracts
import Domain
import HTTP
import Messaging
import Providers
import ServiceKit
import Storage

/// The leaderboard, who can be asked, and the matches behind the ratings.
struct RatingsHandler: Sendable {
    static let maxOffset = 1_000_000

    let stores: APIStores
    let providers: ProviderSettings
    let rules: RatingRules
    let standings: ProviderStandings

    func leaderboard(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        let minMatches = query.int("min_debates", default: 0, in: 0...Self.maxOffset)
        try query.finish()
        let page: Page<AgentRating>
        do {
            page = try await stores.ratings.leaderboard(limit: limit, offset: offset, minMatches: minMatches)
        } catch { throw APIError.unavailable(error) }
        let rows = page.items.enumerated().map { RatingBody.row($1, rank: offset + $0 + 1) }
        return .json(
            CanonicalJSON.encode(
                PageBody.make(
                    "rankings", items: rows, total: page.total, limit: limit, offset: offset,
                    extra: [("agents", .array(rows))])))
    }

    /// The configured providers' models first, then what else was rated.
    func agents(_ request: Request, _ context: RequestContext) async throws -> Response {
        let rated: Page<AgentRating>
        do {
            rated = try await stores.ratings.leaderboard(limit: RatingStore.maxAgents, offset: 0, minMatches: 0)
        } catch { throw APIError.unavailable(error) }
        let configured = ProviderKey.allCases.filter(providers.isConfigured).map {
            RatedAgent(provider: $0, model: providers.defaultModel(of: $0))
        }
        let known = Dictionary(rated.items.map { ($0.agent, $0) }) { first, _ in first }
        let others = rated.items.map(\.agent).filter { !configured.contains($0) }
        let health = Dictionary(await standings.all().map { ($0.provider, $0) }) { first, _ in first }
        let rows = (configured + others).map { agent in
            RatingBody.agent(
                agent, isHealthy: health[agent.provider]?.view.isHealthy,
                breaker: health[agent.provider]?.phase.rawValue, isAvailable: providers.isConfigured(agent.provider),
                isDefault: configured.contains(agent),
                rating: known[agent] ?? AgentRating(newcomer: agent, rules: rules))
        }
        return .json(
            CanonicalJSON.encode(
                PageBody.make("agents", items: rows, total: rows.count, limit: rows.count, offset: 0)))
    }

    /// The configured providers' models: the one of the settings first, then those of the price table.
    func models(_ request: Request, _ context: RequestContext) async throws -> Response {
        let rows = ProviderKey.allCases.filter(providers.isConfigured).flatMap { provider -> [JSONValue] in
            let standard = providers.defaultModel(of: provider)
            let priced = PriceTable.models(of: provider)
            let names = [standard] + priced.map(\.family).filter { $0 != standard }
            return names.map { name in
                let price = PriceBook.price(provider: provider, model: name)
                return ModelBody.row(
                    provider, model: name, input: price.input, output: price.output,
                    isVerified: PriceBook.isVerified(provider: provider, model: name),
                    isKnown: PriceBook.knows(provider: provider, model: name), isDefault: name == standard)
            }
        }
        return .json(CanonicalJSON.encode(ModelBody.page(rows, reviewed: PriceTable.reviewed)))
    }

    func matches(_ request: Request, _ context: RequestContext) async throws -> Response {
        var query = QueryReader(request.query)
        let (limit, offset) = Self.page(&query)
        try query.finish()
        let page: Page<StoredMatch>
        do { page = try await stores.ratings.matches(within: context.caller.reach, limit: limit, offset: offset) } catch
        {
            throw APIError.unavailable(error)
        }
        let rows = page.items.map { stored in
            RatingBody.match(
                number: stored.number, debate: stored.debate, at: stored.at, stored.match,
                changes: zip(stored.before, stored.after).map { ($0, $1) })
        }
        return .json(
            CanonicalJSON.encode(
                PageBody.make("matches", items: rows, total: page.total, limit: limit, offset: offset)))
    }

    private static func page(_ query: inout QueryReader) -> (limit: Int, offset: Int) {
        (
            query.int("limit", default: 20, in: RatingStore.limitRange),
            query.int("offset", default: 0, in: 0...maxOffset)
        )
    }
}

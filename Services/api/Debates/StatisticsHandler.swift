import Contracts
import Domain
import HTTP
import Platform
import ServiceKit
import Storage

/// What came of the debates of the last days, and what the models were asked in them.
struct StatisticsHandler: Sendable {
    static let standardDays = 30

    let stores: APIStores

    func debates(_ request: Request, _ context: RequestContext) async throws -> Response {
        let since = try Self.since(request)
        let found: DebateStatistics
        do { found = try await stores.statistics.debates(since: since, within: context.caller.reach) } catch {
            throw APIError.unavailable(error)
        }
        return .json(
            CanonicalJSON.encode(
                StatisticsBody.debates(
                    since: since, byStatus: found.byStatus, byConsensus: found.byConsensus, agreed: found.agreed,
                    demo: found.demo, confidence: found.confidence, rounds: found.rounds, duration: found.duration,
                    cost: found.cost)))
    }

    func models(_ request: Request, _ context: RequestContext) async throws -> Response {
        let since = try Self.since(request)
        let found: [ModelStatistics]
        do { found = try await stores.statistics.models(since: since, within: context.caller.reach) } catch {
            throw APIError.unavailable(error)
        }
        let rows = found.map {
            StatisticsBody.model(
                provider: $0.provider, model: $0.model, debates: $0.debates, calls: $0.calls, failures: $0.failures,
                usage: $0.usage, latency: $0.latency)
        }
        return .json(
            CanonicalJSON.encode(
                PageBody.make("agents", items: rows, total: rows.count, limit: rows.count, offset: 0)))
    }

    private static func since(_ request: Request) throws -> Timestamp {
        var query = QueryReader(request.query)
        let days = query.int("days", default: standardDays, in: StatisticsReader.days)
        try query.finish()
        return Timestamp(milliseconds: WallClock.nowMilliseconds() - Int64(days) * 86_400_000)
    }
}

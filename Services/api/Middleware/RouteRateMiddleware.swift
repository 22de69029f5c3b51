import Contracts
import Domain
import HTTP
import Messaging
import Platform
import RedisClient
import ServiceKit
import Sockets

/// Requests a minute per principal, whatever address they come from, and per class of route where a class has a limit of
/// its own. Stands inside authentication: who asks is known here.
struct RouteRateMiddleware: Middleware {
    /// What a class may at most be asked for in a minute, by one principal, or one address where nobody signed in.
    ///
    /// A password costs a tenth of a second of a processor and a debate costs money; a row costs nothing worth counting.
    static let classLimits: [RouteCost: Int] = [.credential: 60, .create: 120, .bulk: 60]

    let limiter: RouteLimiter
    let costs: [RouteKey: RouteCost]
    /// Of a user; 0 switches it off.
    let limitPerPrincipal: Int
    let trustedProxies: TrustedProxies
    let metrics: Metrics

    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        let principal = context.principal as? Principal
        var tightest: RateDecision?
        // Tokens of the installation are counted by address alone: they belong to nobody.
        if limitPerPrincipal > 0, let user = principal?.user {
            tightest = try await admit("principal", user.text, limitPerPrincipal, nil)
        }
        if let cost = costs[RouteKey(request.method, context.template)], let limit = Self.classLimits[cost] {
            let subject = principal?.user?.text ?? trustedProxies.client(of: request, peer: context.peer.host)
            tightest = try await admit(cost.rawValue, subject, limit, tightest)
        }
        let response = try await next(request, context)
        return tightest.map { RateLimitMiddleware.labelled(response, $0) } ?? response
    }

    private func admit(
        _ scope: String, _ subject: String, _ limit: Int, _ known: RateDecision?
    ) async throws -> RateDecision {
        let decision = await limiter.admit(scope, subject, perMinute: limit)
        guard decision.isAllowed else {
            metrics.add(.rateLimitHits, [scope])
            var error = APIError(.rateLimited)
            error.retryAfterSeconds = max(1, Int(decision.retryAfter.secondsValue.rounded(.up)))
            throw error
        }
        if let known, known.remaining <= decision.remaining { return known }
        return decision
    }
}

/// Counts in Redis, or in this process while Redis is away.
struct RouteLimiter: Sendable {
    let redis: RedisConnection
    let keyspace: KeyspaceSource
    let local: LocalRateTable

    /// - Parameter scope: of a closed set.
    func admit(_ scope: String, _ subject: String, perMinute limit: Int) async -> RateDecision {
        await RateLimiter(
            connection: redis, keyspace: keyspace.current ?? Keyspace(generation: 0), local: local
        ).admit(scope: scope, subject: subject, limit: RateLimit(limit: limit, window: RateLimitMiddleware.window))
    }
}

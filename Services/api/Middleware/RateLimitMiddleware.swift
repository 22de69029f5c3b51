import Contracts
import Domain
import HTTP
import Messaging
import Platform
import RedisClient
import ServiceKit
import Sockets

/// Requests a minute per client: 429 with `Retry-After`, and the rate headers on every answer. Probes are not counted.
struct RateLimitMiddleware: Middleware {
    static let window = Duration.seconds(60)
    private static let uncounted: Set<String> = [
        "/api/health", "/api/ready", "/api/status", "/api/openapi.json",
    ]

    let limiter: RouteLimiter
    /// 0 switches it off.
    let limitPerMinute: Int
    let trustedProxies: TrustedProxies
    let metrics: Metrics

    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        guard limitPerMinute > 0, Self.counts(context.template) else {
            return try await next(request, context)
        }
        let client = trustedProxies.client(of: request, peer: context.peer.host)
        let decision = await limiter.admit("http", client, perMinute: limitPerMinute)
        guard decision.isAllowed else {
            metrics.add(.rateLimitHits, ["http"])
            var error = APIError(.rateLimited, suggestion: "wait, or raise ARAGORA_RATE_LIMIT")
            error.retryAfterSeconds = max(1, Self.seconds(decision.retryAfter))
            return Self.labelled(ErrorMappingMiddleware.render(error, traceID: context.traceID), decision)
        }
        return Self.labelled(try await next(request, context), decision)
    }

    /// Whether requests of a route are counted.
    static func counts(_ template: String) -> Bool { template.hasPrefix("/api/") && !uncounted.contains(template) }

    /// Adds the rate headers. Of several limits the one that leaves the least is told.
    static func labelled(_ response: Response, _ decision: RateDecision) -> Response {
        let told = response.headers["X-RateLimit-Remaining"].flatMap { Int($0.text) }
        if let told, told <= decision.remaining { return response }
        var response = response
        response.headers["X-RateLimit-Limit"] = HeaderValue(decision.limit)
        response.headers["X-RateLimit-Remaining"] = HeaderValue(decision.remaining)
        response.headers["X-RateLimit-Reset"] = HeaderValue(Self.seconds(decision.resetAfter))
        return response
    }

    private static func seconds(_ duration: Duration) -> Int { Int(duration.secondsValue.rounded(.up)) }
}

import HTTP

/// What browsers are to be told on every answer: guess no type, frame nothing, run nothing, keep no copy.
///
/// A handler that needs something else has set it already.
struct PageSafetyMiddleware: Middleware {
    private static let fields: [(HeaderName, HeaderValue)] = [
        ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cross-Origin-Resource-Policy", "same-origin"), (.cacheControl, "no-store"),
    ]

    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        var response = try await next(request, context)
        guard response.status != .switchingProtocols else { return response }
        for (name, value) in Self.fields where response.headers[name] == nil { response.headers[name] = value }
        return response
    }
}

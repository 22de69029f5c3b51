import HTTP

/// Lets pages of the origins that were named, and of no others, read answers (Fetch, "CORS protocol").
///
/// Credentials stay out of it: they are sent in a header by the page itself, never by the browser.
struct CrossOriginMiddleware: Middleware {
    private static let methods: HeaderValue = "GET, HEAD, POST, PUT, PATCH, DELETE"
    private static let requestHeaders: HeaderValue = """
        Authorization, Content-Type, Accept, Idempotency-Key, X-API-Key, X-Request-ID, traceparent
        """
    private static let answerHeaders: HeaderValue = """
        X-Request-ID, X-Trace-ID, X-API-Version, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, \
        Content-Disposition
        """
    private static let maxAgeSeconds = 600

    /// As browsers write them, `https://app.example`; `*` for any.
    let origins: Set<String>

    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        guard !origins.isEmpty else { return try await next(request, context) }
        guard let origin = request[header: "origin"], isAllowed(origin), let allowed = HeaderValue(origin) else {
            return varied(try await next(request, context))
        }
        let isPreflight = request.method == .options && request[header: "access-control-request-method"] != nil
        var response = isPreflight ? Response(.noContent) : try await next(request, context)
        response.headers["Access-Control-Allow-Origin"] = allowed
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if isPreflight {
            response.headers["Access-Control-Allow-Methods"] = Self.methods
            response.headers["Access-Control-Allow-Headers"] = Self.requestHeaders
            response.headers["Access-Control-Max-Age"] = HeaderValue(Self.maxAgeSeconds)
        } else {
            response.headers["Access-Control-Expose-Headers"] = Self.answerHeaders
        }
        return varied(response)
    }

    private func isAllowed(_ origin: String) -> Bool {
        origins.contains("*") || origins.contains(where: { $0.lowercased() == origin.lowercased() })
    }

    /// A cache must not give one origin the answer of another.
    private func varied(_ response: Response) -> Response {
        var response = response
        response.headers[.vary] = response.headers[.vary].flatMap { HeaderValue("\($0.text), Origin") } ?? "Origin"
        return response
    }
}

import HTTP

/// Lets pages of the origins that were named, and of no others, read answers (Fetch, "CORS protocol").
///
/// Credentials stay out of it: they are sent in a header by the page itself, never by the browser.
struct CrossOriginMiddleware: InstantMiddleware {
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

    func before(_ request: Request, _ context: inout RequestContext) -> Response? {
        guard isPreflight(request), let allowed = allowed(request) else { return nil }
        var response = Response(.noContent)
        admit(allowed, &response)
        response.headers["Access-Control-Allow-Methods"] = Self.methods
        response.headers["Access-Control-Allow-Headers"] = Self.requestHeaders
        response.headers["Access-Control-Max-Age"] = HeaderValue(Self.maxAgeSeconds)
        return response
    }

    func after(_ response: inout Response, _ request: Request, _ context: RequestContext) {
        guard !origins.isEmpty else { return }
        if let allowed = allowed(request) {
            admit(allowed, &response)
            response.headers["Access-Control-Expose-Headers"] = Self.answerHeaders
        } else {
            vary(&response)
        }
    }

    private func isPreflight(_ request: Request) -> Bool {
        !origins.isEmpty && request.method == .options && request[header: "access-control-request-method"] != nil
    }

    /// The origin that asks, if its pages may read the answer.
    private func allowed(_ request: Request) -> HeaderValue? {
        guard let origin = request[header: "origin"], isAllowed(origin) else { return nil }
        return HeaderValue(origin)
    }

    private func admit(_ origin: HeaderValue, _ response: inout Response) {
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        vary(&response)
    }

    private func isAllowed(_ origin: String) -> Bool {
        origins.contains("*") || origins.contains(where: { $0.lowercased() == origin.lowercased() })
    }

    /// A cache must not give one origin the answer of another.
    private func vary(_ response: inout Response) {
        response.headers[.vary] = response.headers[.vary].flatMap { HeaderValue("\($0.text), Origin") } ?? "Origin"
    }
}

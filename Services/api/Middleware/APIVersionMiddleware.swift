import HTTP

/// Says on every answer which version of the API gave it: what the path asked for, `v1` for a path without one.
struct APIVersionMiddleware: Middleware {
    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        var response = try await next(request, context)
        response.headers["X-API-Version"] = request.path.hasPrefix("/api/v2/") ? "v2" : "v1"
        return response
    }
}

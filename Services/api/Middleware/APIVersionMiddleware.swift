import HTTP

/// Says on every answer which version of the API gave it: what the path asked for, `v1` for a path without one.
struct APIVersionMiddleware: InstantMiddleware {
    private static let field: HeaderName = "X-API-Version"

    func after(_ response: inout Response, _ request: Request, _ context: RequestContext) {
        response.headers[Self.field] = request.head.pathBegins(with: "/api/v2/") ? "v2" : "v1"
    }
}

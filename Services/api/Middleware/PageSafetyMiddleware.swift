import HTTP
import ServiceKit

/// Tells browsers on every answer how strictly it is to be taken; see ``BrowserSafety``.
///
/// A handler that needs something else has set it already.
struct PageSafetyMiddleware: Middleware {
    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        var response = try await next(request, context)
        guard response.status != .switchingProtocols else { return response }
        BrowserSafety.add(to: &response)
        return response
    }
}

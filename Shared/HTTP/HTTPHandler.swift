/// Answers requests. It runs on the connection's loop and must not block.
package typealias Responder = @Sendable (Request, RequestContext) async throws -> Response

/// Decides, when a head has been read, what is to happen with the request. Usually a ``Router``.
package protocol HTTPHandler: Sendable {
    /// Called on the loop once per request, before its body is read.
    func match(_ head: RequestHead) -> RouteMatch
}

/// The route a request takes.
package struct RouteMatch: Sendable {
    /// The route's template, `unmatched` when there is none.
    package var template: String
    package var parameters: [RouteParameter] = []
    /// Bytes of the body; nil for the server's default.
    package var bodyBytes: Int?
    /// Until the response's head is ready; nil for the server's default.
    package var deadline: Duration?
    /// Makes the response. What it throws becomes an error response.
    package var responder: Responder

    package init(template: String, responder: @escaping Responder) {
        self.template = template
        self.responder = responder
    }
}

/// One thing done around every request: logs, ids, limits, sign-in, errors.
package protocol Middleware: Sendable {
    /// Calls `next` for the rest of the chain, or answers by itself.
    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response
}

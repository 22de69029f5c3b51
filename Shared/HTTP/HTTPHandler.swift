/// Answers requests. It runs on the connection's loop and must not block.
package typealias Responder = @Sendable (Request, RequestContext) async throws -> Response

/// Decides, when a head has been read, what is to happen with the request. Usually a ``Router``.
package protocol HTTPHandler: Sendable {
    /// Called on the loop once per request, before its body is read.
    func match(_ head: RequestHead) -> RouteMatch
}

/// One place requests may go to.
package final class Route: Sendable {
    /// The template of the path; `unmatched` where there is none.
    package let template: String
    /// Bytes of the body; nil for the server's default.
    package let bodyBytes: Int?
    /// Until the response's head is ready; nil for the server's default.
    package let deadline: Duration?
    /// Makes the response. What it throws becomes an error response.
    package let responder: Responder

    package init(template: String, bodyBytes: Int? = nil, deadline: Duration? = nil, responder: @escaping Responder) {
        self.template = template
        self.bodyBytes = bodyBytes
        self.deadline = deadline
        self.responder = responder
    }
}

/// The route a request takes, and what its path says at the route's parameters.
package struct RouteMatch: Sendable {
    package let route: Route
    package let parameters: [RouteParameter]

    package init(_ route: Route, parameters: [RouteParameter] = []) {
        self.route = route
        self.parameters = parameters
    }
}

/// One thing done around every request: logs, ids, limits, sign-in, errors.
package protocol Middleware: Sendable {
    /// Calls `next` for the rest of the chain, or answers by itself.
    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response
}

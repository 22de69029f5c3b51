/// Answers requests. It runs on the connection's loop and must not block.
package typealias Responder = @Sendable (Request, RequestContext) async throws -> Response

/// Answers requests that need not wait for anything: within the read that brought them, without a task. What it answers is
/// whole: nothing streamed.
package typealias InstantResponder = @Sendable (Request, RequestContext) throws -> Response

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
    /// The same without a wait, where that is possible.
    package let instant: InstantResponder?

    package init(template: String, bodyBytes: Int? = nil, deadline: Duration? = nil, responder: @escaping Responder) {
        self.template = template
        self.bodyBytes = bodyBytes
        self.deadline = deadline
        self.responder = responder
        instant = nil
    }

    /// A route that is answered at once.
    package init(template: String, bodyBytes: Int? = nil, instant: @escaping InstantResponder) {
        self.template = template
        self.bodyBytes = bodyBytes
        self.instant = instant
        deadline = nil
        responder = { try instant($0, $1) }
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

/// One thing done around a request that may have to wait: limits, sign-in. Routes that answer at once have none of it.
package protocol Middleware: Sendable {
    /// Calls `next` for the rest of the chain, or answers by itself.
    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response
}

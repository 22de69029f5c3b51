package import Platform
package import Sockets

/// What is known about a request beside its bytes. A value: what a middleware sets is seen by those further in.
package struct RequestContext: Sendable {
    /// Names this request in logs and answers; empty until a middleware sets it.
    package var requestID = ""
    /// Joins this request with others of one operation; empty until a middleware sets it.
    package var traceID = ""
    /// The trace that what follows from this request belongs to; nil until a middleware sets it.
    package var trace: TraceContext?
    /// What the request says it follows from; nil when it says nothing.
    package var traceParent: TraceContext?
    /// When it came, in nanoseconds since 1970, where a trace wants to know; else 0.
    package var cameAt: Int64 = 0
    /// When its answering began, as ``MonotonicTime``, where a middleware wants to know; else 0.
    package var begun: Int64 = 0
    /// The template of the route, such as `/things/{id}`: a closed set, fit for metric labels.
    package var template: String { match.route.template }
    /// Who asks, once a middleware has found out.
    package var principal: (any Sendable)?
    /// The other end of the connection.
    package let peer: SocketAddress
    /// The loop this request lives on from its first to its last byte.
    package let loop: EventLoop
    private let match: RouteMatch

    package init(_ match: RouteMatch, peer: SocketAddress, loop: EventLoop) {
        self.match = match
        self.peer = peer
        self.loop = loop
    }

    /// The decoded path segment that stands at `{name}`.
    ///
    /// - Precondition: the route's template has such a segment; a wrong name is our own mistake.
    package func parameter(_ name: String) -> String {
        guard let found = match.parameters.first(where: { $0.name == name }) else {
            preconditionFailure("the route \(template) has no {\(name)}")
        }
        return found.value
    }
}

/// A decoded path segment and the name it has in its template.
package struct RouteParameter: Sendable, Equatable {
    package let name: String
    package let value: String
}

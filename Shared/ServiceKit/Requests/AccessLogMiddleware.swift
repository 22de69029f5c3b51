package import HTTP
package import Platform
import Sockets

/// One log line and one count per request. The path is logged without its query: tokens travel there.
package struct AccessLogMiddleware: InstantMiddleware {
    private let log: Log
    private let requests: RequestMetrics
    private let trustedProxies: TrustedProxies

    /// - Parameter trustedProxies: whose word is taken for the client's address in the log.
    package init(log: Log, requests: RequestMetrics, trustedProxies: TrustedProxies) {
        self.log = log
        self.requests = requests
        self.trustedProxies = trustedProxies
    }

    package func before(_ request: Request, _ context: inout RequestContext) -> Response? {
        context.begun = MonotonicTime.now()
        return nil
    }

    package func after(_ response: inout Response, _ request: Request, _ context: RequestContext) {
        let ended = MonotonicTime.now()
        let took = ended - context.begun
        let method = Self.label(request.method)
        requests.answered(
            method: method, template: context.template, status: response.status.code, took: took, now: ended)
        guard log.writes(.info) else { return }
        log.info(
            "request finished", .requestID(context.requestID), .traceID(context.traceID), .method(method),
            .path(request.path), .route(context.template), .status(response.status.code),
            .duration(.nanoseconds(took)),
            .peer(trustedProxies.client(of: request, peer: context.peer.host)))
    }

    /// A closed set: a client may invent methods.
    private static func label(_ method: Method) -> String {
        switch method {
        case .get, .head, .post, .put, .patch, .delete, .options: method.description
        default: "other"
        }
    }
}

package import HTTP
package import Platform

/// Names every request: takes over a well-formed `X-Request-ID` and `traceparent`, or makes new ones, and echoes them. Where
/// traces are sent, a request is a span of its own.
package struct RequestIDMiddleware: InstantMiddleware {
    static let maxIDCharacters = 128
    private static let requestField: HeaderName = "X-Request-ID"
    private static let traceField: HeaderName = "X-Trace-ID"

    private let tracer: Tracer

    package init(tracer: Tracer = .disabled) { self.tracer = tracer }

    package func before(_ request: Request, _ context: inout RequestContext) -> Response? {
        context.requestID = accepted(request[header: "x-request-id"]) ?? RandomName.make("req_")
        context.traceParent = request[header: "traceparent"].flatMap(TraceContext.init(traceparent:))
        let entered = tracer.enter(context.traceParent)
        context.trace = entered.context
        context.traceID = entered.context.trace.text
        if entered.isRecorded { context.cameAt = WallClock.nowNanoseconds() }
        return nil
    }

    package func after(_ response: inout Response, _ request: Request, _ context: RequestContext) {
        if tracer.isOn { record(request, context, response) }
        response.headers[Self.requestField] = HeaderValue(made: context.requestID)
        response.headers[Self.traceField] = HeaderValue(made: context.traceID)
    }

    /// Named by the route's template: a path may hold what only its reader should know.
    private func record(_ request: Request, _ context: RequestContext, _ response: Response) {
        // Probes and scrapes would be most of all traces.
        guard let trace = context.trace, trace.isSampled, !HealthRoutes.isProbe(context.template) else { return }
        let status = response.status.code
        let span = Span(
            "\(request.method) \(context.template)", .server, context: trace, parent: context.traceParent?.span ?? 0,
            start: context.cameAt,
            attributes: [
                .init("http.request.method", "\(request.method)"), .init("http.route", context.template),
                .init("http.response.status_code", status), .init("aragora.request_id", context.requestID),
            ])
        tracer.end(span, failure: status >= 500 ? "\(status)" : nil)
    }

    private func accepted(_ given: String?) -> String? {
        guard let given, (1...Self.maxIDCharacters).contains(given.utf8.count) else { return nil }
        let isPlain = given.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == 0x2D || byte == 0x5F || byte == 0x2E
        }
        return isPlain ? given : nil
    }
}

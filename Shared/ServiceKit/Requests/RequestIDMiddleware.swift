import Crypto
package import HTTP
package import Platform

/// Names every request: takes over a well-formed `X-Request-ID` and `traceparent`, or makes new ones, and echoes them. Where
/// traces are sent, a request is a span of its own.
package struct RequestIDMiddleware: Middleware {
    static let maxIDCharacters = 128

    private let tracer: Tracer

    package init(tracer: Tracer = .disabled) { self.tracer = tracer }

    package func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        var context = context
        context.requestID = try accepted(request[header: "x-request-id"]) ?? "req_" + Hex.encode(RandomBytes.make(12))
        let parent = request[header: "traceparent"].flatMap(TraceContext.init(traceparent:))
        let entered = tracer.enter(parent)
        context.trace = entered.context
        context.traceID = entered.context.trace.text
        let began = entered.isRecorded ? WallClock.nowNanoseconds() : 0
        var response = try await answer(request, context, isRecorded: entered.isRecorded, next: next)
        if entered.isRecorded { record(request, context, response, parent: parent, began: began) }
        if let id = HeaderValue(context.requestID) { response.headers["X-Request-ID"] = id }
        if let id = HeaderValue(context.traceID) { response.headers["X-Trace-ID"] = id }
        return response
    }

    /// What the stores are asked for it is a part of its trace.
    private func answer(
        _ request: Request, _ context: RequestContext, isRecorded: Bool, next: Responder
    ) async throws -> Response {
        guard isRecorded, let trace = context.trace, !HealthRoutes.isProbe(context.template) else {
            return try await next(request, context)
        }
        return try await TraceScope.$current.withValue(TraceScope(tracer, parent: trace)) {
            try await next(request, context)
        }
    }

    /// Named by the route's template: a path may hold what only its reader should know.
    private func record(
        _ request: Request, _ context: RequestContext, _ response: Response, parent: TraceContext?, began: Int64
    ) {
        // Probes and scrapes would be most of all traces.
        guard let trace = context.trace, !HealthRoutes.isProbe(context.template) else { return }
        let status = response.status.code
        let span = Span(
            "\(request.method) \(context.template)", .server, context: trace, parent: parent?.span ?? 0, start: began,
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

package import HTTP
package import Platform

/// Makes what the stores are asked for a request a part of its trace. Stands inside ``RequestIDMiddleware``, and only where
/// traces are sent.
package struct TraceMiddleware: Middleware {
    private let tracer: Tracer

    /// - Returns: nil where no traces are sent.
    package init?(tracer: Tracer) {
        guard tracer.isOn else { return nil }
        self.tracer = tracer
    }

    package func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        guard let trace = context.trace, trace.isSampled, !HealthRoutes.isProbe(context.template) else {
            return try await next(request, context)
        }
        return try await TraceScope.$current.withValue(TraceScope(tracer, parent: trace)) {
            try await next(request, context)
        }
    }
}

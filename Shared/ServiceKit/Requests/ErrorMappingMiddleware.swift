import Contracts
import Crypto
import Domain
package import HTTP
package import Platform

/// Turns every error into the one flat body; the only place that does.
package struct ErrorMappingMiddleware: Middleware {
    private let log: Log

    package init(log: Log) { self.log = log }

    package func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return response(to: error, request, context)
        }
    }

    /// The answer to what was thrown; what is ours to mend is logged.
    package func response(to error: any Error, _ request: Request, _ context: RequestContext) -> Response {
        switch error {
        case let error as APIError:
            if let cause = error.cause { logFailure(error.code, cause, context) }
            return Self.render(error, traceID: context.traceID)
        case let failure as ValidationFailure:
            return Self.render(APIError(failure), traceID: context.traceID)
        case let error as HTTPError:
            return Self.render(error, path: request.path, traceID: context.traceID)
        case is CancellationError:
            return Self.render(APIError(.unavailable), traceID: context.traceID)
        default:
            logFailure(.internalError, error, context)
            return Self.render(APIError(.internalError), traceID: context.traceID)
        }
    }

    private func logFailure(_ code: ErrorCode, _ cause: any Error, _ context: RequestContext) {
        log.error(
            "request failed", .requestID(context.requestID), .traceID(context.traceID), .route(context.template),
            .errorCode(code.rawValue), .error(cause))
    }

    /// The answer of a refused request.
    package static func render(_ error: APIError, traceID: String) -> Response {
        var body = ErrorBody(error.code, message: error.message, traceID: traceID, errors: error.problems)
        body.suggestion = error.suggestion
        body.extra = error.extra
        var response = Response.json(body.bytes, status: Status(error.code.status))
        if let seconds = error.retryAfterSeconds { response.headers[.retryAfter] = HeaderValue(seconds) }
        if error.code.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }

    /// The answer of a request that no middleware saw, because its head or body was refused before.
    package static func renderUnseen(_ error: HTTPError) -> Response {
        let traceID = (try? RandomBytes.make(16)).map { Hex.encode($0) } ?? ""  // without randomness nothing else works
        var response = render(error, path: nil, traceID: traceID)
        BrowserSafety.add(to: &response)
        if let id = HeaderValue(traceID) { response.headers["X-Trace-ID"] = id }
        return response
    }

    /// What the server, the router or the parser refused, in our words.
    private static func render(_ error: HTTPError, path: String?, traceID: String) -> Response {
        let code = code(of: error.status)
        let message = code == .notFound && path != nil ? "API endpoint not found: \(path ?? "")" : error.message
        let body = ErrorBody(code, message: message, traceID: traceID)
        var response = Response.json(body.bytes, status: error.status)
        error.addFields(to: &response.headers)
        return response
    }

    private static func code(of status: Status) -> ErrorCode {
        switch status.code {
        case 404: .notFound
        case 405: .methodNotAllowed
        case 408: .requestTimeout
        case 413: .bodyTooLarge
        case 414: .uriTooLong
        case 426: .upgradeRequired
        case 431: .headersTooLarge
        case 500: .internalError
        case 501, 505: .notImplemented
        case 502: .upstreamUnavailable
        case 503, 504: .unavailable
        default: .badRequest
        }
    }
}

import Contracts
import Domain
import HTTP
import Platform

/// Turns every error into the one flat body; the only place that does.
struct ErrorMappingMiddleware: Middleware {
    let log: Log

    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            if let cause = error.cause { logFailure(error.code, cause, context) }
            return Self.render(error, traceID: context.traceID)
        } catch let failure as ValidationFailure {
            return Self.render(APIError(failure), traceID: context.traceID)
        } catch let error as HTTPError {
            return Self.render(error, path: request.path, traceID: context.traceID)
        } catch is CancellationError {
            return Self.render(APIError(.unavailable), traceID: context.traceID)
        } catch {
            logFailure(.internalError, error, context)
            return Self.render(APIError(.internalError), traceID: context.traceID)
        }
    }

    private func logFailure(_ code: ErrorCode, _ cause: any Error, _ context: RequestContext) {
        log.error(
            "request failed", .requestID(context.requestID), .traceID(context.traceID), .route(context.template),
            .errorCode(code.rawValue), .error(cause))
    }

    static func render(_ error: APIError, traceID: String) -> Response {
        var body = ErrorBody(error.code, message: error.message, traceID: traceID, errors: error.problems)
        body.suggestion = error.suggestion
        body.extra = error.extra
        var response = Response.json(body.bytes, status: Status(error.code.status))
        if let seconds = error.retryAfterSeconds { response.headers[.retryAfter] = HeaderValue(seconds) }
        if error.code.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }

    /// What the server, the router or the parser refused, in our words.
    static func render(_ error: HTTPError, path: String?, traceID: String) -> Response {
        let code: ErrorCode
        switch error.status.code {
        case 404: code = .notFound
        case 405: code = .methodNotAllowed
        case 408: code = .requestTimeout
        case 413: code = .bodyTooLarge
        case 414: code = .uriTooLong
        case 426: code = .upgradeRequired
        case 431: code = .headersTooLarge
        case 500: code = .internalError
        case 501, 505: code = .notImplemented
        case 502: code = .upstreamUnavailable
        case 503, 504: code = .unavailable
        default: code = .badRequest
        }
        let message = code == .notFound && path != nil ? "API endpoint not found: \(path ?? "")" : error.message
        let body = ErrorBody(code, message: message, traceID: traceID)
        var response = Response.json(body.bytes, status: error.status)
        response.headers = error.plainResponse.headers
        response.headers[.contentType] = "application/json"
        return response
    }
}

import Contracts
import Crypto
import HTTP
import Platform

/// Names each request and turns what the router or the handshake refuses into the one flat error body.
struct GatewayErrors: Middleware {
    let log: Log

    func handle(_ request: Request, _ context: RequestContext, next: Responder) async throws -> Response {
        var context = context
        context.requestID = "req_" + Hex.encode(try RandomBytes.make(12))
        do {
            return try await next(request, context)
        } catch let error as HTTPError {
            let code: ErrorCode
            switch error.status.code {
            case 404: code = .notFound
            case 405: code = .methodNotAllowed
            case 426: code = .upgradeRequired
            default: code = .badRequest
            }
            var response = error.plainResponse
            let body = ErrorBody(code, message: error.message, traceID: context.requestID)
            response.headers[.contentType] = "application/json"
            response.content = .bytes(body.bytes)
            return response
        }
    }
}

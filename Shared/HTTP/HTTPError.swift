/// A failure that has an HTTP status: what the parser, the router and handlers throw.
///
/// `message` may be shown to the client, so it never holds input, secrets or internals.
package struct HTTPError: Error, Equatable, Sendable {
    /// The status of the response.
    package let status: Status
    /// A stable snake_case word for programs, such as `malformed_request`.
    package let code: String
    /// One sentence for people.
    package let message: String
    /// The methods the path knows; sent as `Allow` with a 405.
    package var allow: [Method] = []
    /// Seconds; sent as `Retry-After`.
    package var retryAfterSeconds: Int?

    package init(_ status: Status, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    /// 400 with the reason a request is not well formed.
    package static func malformed(_ message: String) -> HTTPError {
        HTTPError(.badRequest, "malformed_request", message)
    }

    package static let headTooLarge = HTTPError(.headTooLarge, "head_too_large", "The request head is too large.")
    package static let uriTooLong = HTTPError(.uriTooLong, "uri_too_long", "The request target is too long.")
    package static let bodyTooLarge = HTTPError(.bodyTooLarge, "body_too_large", "The request body is too large.")
    package static let requestTimeout = HTTPError(
        .requestTimeout, "request_timeout", "The request did not arrive in time.")
    package static let unknownCoding = HTTPError(
        .notImplemented, "unknown_transfer_coding", "The only transfer coding understood is chunked.")
    package static let versionNotSupported = HTTPError(
        .versionNotSupported, "version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
    package static let expectationFailed = HTTPError(
        .expectationFailed, "expectation_failed", "The only expectation understood is 100-continue.")
    package static let notFound = HTTPError(.notFound, "not_found", "There is nothing at this path.")
    package static let handlerDeadline = HTTPError(
        .unavailable, "deadline_exceeded", "The request took too long and was given up.")
    package static let internalError = HTTPError(.internalError, "internal_error", "Something went wrong on our side.")

    /// 405 with the methods this path does know.
    package static func methodNotAllowed(allow: [Method]) -> HTTPError {
        var error = HTTPError(.methodNotAllowed, "method_not_allowed", "This path does not know this method.")
        error.allow = allow
        return error
    }
}

/// The stable error codes of the HTTP API and the WebSocket, each with its status and its one fixed sentence.
///
/// Clients decide by these texts: a code may be added, never renamed.
package enum ErrorCode: String, Sendable, CaseIterable {
    case badRequest = "bad_request"
    case invalidJSON = "invalid_json"
    case validationFailed = "validation_error"
    case unsupportedMedia = "unsupported_media_type"
    case authenticationRequired = "authentication_required"
    case invalidToken = "invalid_token"
    case tokenExpired = "token_expired"
    case permissionDenied = "permission_denied"
    case notFound = "not_found"
    case debateNotFound = "debate_not_found"
    case receiptNotFound = "receipt_not_found"
    case knowledgeNotFound = "knowledge_not_found"
    case sessionNotFound = "session_not_found"
    case keyNotFound = "api_key_not_found"
    case userNotFound = "user_not_found"
    case roleNotFound = "role_not_found"
    case invalidCredentials = "invalid_credentials"
    case accountLocked = "account_locked"
    case emailTaken = "email_taken"
    case registrationClosed = "registration_closed"
    case signOnFailed = "sso_failed"
    case secondFactorRequired = "ADMIN_MFA_REQUIRED"
    case wrongPassword = "wrong_password"
    case wrongCode = "wrong_code"
    case invalidResetToken = "invalid_reset_token"
    case conflict
    case budgetNotFound = "budget_not_found"
    case budgetExhausted = "budget_exhausted"
    case webhookNotFound = "webhook_not_found"
    case methodNotAllowed = "method_not_allowed"
    case requestTimeout = "request_timeout"
    case debateFinished = "debate_already_finished"
    case debateNotPaused = "debate_not_paused"
    case debateNotFinished = "debate_not_finished"
    case debateErased = "debate_erased"
    case eventsExpired = "events_expired"
    case legalHold = "legal_hold"
    case tooManyShares = "too_many_shares"
    case batchNotFound = "batch_not_found"
    case shareNotFound = "share_not_found"
    case noAgents = "no_agents_available"
    case idempotencyConflict = "IDEMPOTENCY_CONFLICT"
    case idempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS"
    case invalidIdempotencyKey = "INVALID_IDEMPOTENCY_KEY"
    case bodyTooLarge = "body_too_large"
    case uriTooLong = "uri_too_long"
    case headersTooLarge = "headers_too_large"
    case upgradeRequired = "upgrade_required"
    case rateLimited = "rate_limited"
    case internalError = "internal_error"
    case notImplemented = "not_implemented"
    case notConfigured = "not_configured"
    case upstreamUnavailable = "upstream_unavailable"
    case unavailable = "service_unavailable"

    /// The HTTP status. Validation is 400, never 422, and what a retry may cure at once is 429: the official clients
    /// read it so (contract §0.2, §0.3).
    package var status: Int {
        switch self {
        case .badRequest, .invalidJSON, .validationFailed, .debateFinished, .debateNotPaused, .noAgents,
            .invalidIdempotencyKey, .signOnFailed, .wrongPassword, .wrongCode, .invalidResetToken,
            .debateNotFinished, .tooManyShares:
            400
        case .authenticationRequired, .invalidToken, .tokenExpired, .invalidCredentials: 401
        case .budgetExhausted: 402
        case .permissionDenied, .registrationClosed, .secondFactorRequired: 403
        case .notFound, .debateNotFound, .receiptNotFound, .knowledgeNotFound, .webhookNotFound, .sessionNotFound,
            .keyNotFound,
            .userNotFound, .roleNotFound, .budgetNotFound, .batchNotFound, .shareNotFound:
            404
        case .methodNotAllowed: 405
        case .debateErased, .eventsExpired: 410
        case .requestTimeout: 408
        case .idempotencyConflict, .emailTaken, .conflict, .notConfigured, .legalHold: 409
        case .bodyTooLarge: 413
        case .uriTooLong: 414
        case .unsupportedMedia: 415
        case .upgradeRequired: 426
        case .rateLimited, .idempotencyInProgress, .accountLocked: 429
        case .headersTooLarge: 431
        case .internalError: 500
        case .notImplemented: 501
        case .upstreamUnavailable: 502
        case .unavailable: 503
        }
    }

    /// What a user reads when nothing more exact is known.
    package var sentence: String {
        switch self {
        case .badRequest: "The request could not be understood."
        case .invalidJSON: "The body is not valid JSON."
        case .validationFailed: "The request has invalid fields."
        case .unsupportedMedia: "The body must be application/json."
        case .authenticationRequired: "Authentication is required."
        case .invalidToken: "The token is not valid."
        case .tokenExpired: "The token has expired."
        case .permissionDenied: "Permission denied."
        case .notFound: "API endpoint not found."
        case .debateNotFound: "Debate not found."
        case .receiptNotFound: "Receipt not found."
        case .knowledgeNotFound: "Nothing of this id is known."
        case .sessionNotFound: "Session not found."
        case .keyNotFound: "API key not found."
        case .userNotFound: "User not found."
        case .roleNotFound: "Role not found."
        case .invalidCredentials: "Invalid email or password"
        case .accountLocked: "Too many failed sign-ins; try again later."
        case .emailTaken: "Email already registered"
        case .registrationClosed: "Registration is closed."
        case .signOnFailed: "Single sign-on did not succeed."
        case .secondFactorRequired: "Administrators need a second factor here."
        case .wrongPassword: "The password is wrong."
        case .wrongCode: "The code is wrong, or was used before."
        case .invalidResetToken: "The reset token is not valid any more."
        case .conflict: "This is not possible as things stand."
        case .budgetNotFound: "Budget not found."
        case .budgetExhausted: "The budget does not cover a debate."
        case .webhookNotFound: "Webhook not found."
        case .methodNotAllowed: "This method is not allowed here."
        case .requestTimeout: "The request did not arrive in time."
        case .debateFinished: "The debate is already finished."
        case .debateNotPaused: "The debate is not paused."
        case .debateNotFinished: "The debate is not over yet."
        case .debateErased: "What was said in the debate was erased."
        case .eventsExpired: "The debate's events were removed: their retention has passed."
        case .legalHold: "The debate's receipt is on legal hold."
        case .tooManyShares: "The debate has as many links as it may have."
        case .batchNotFound: "Batch not found."
        case .shareNotFound: "This link shows nothing, or not any more."
        case .noAgents: "No model provider is configured."
        case .idempotencyConflict: "This idempotency key was used with another request."
        case .idempotencyInProgress: "A request with this idempotency key is still in progress."
        case .invalidIdempotencyKey: "The idempotency key is not valid."
        case .bodyTooLarge: "The body is too large."
        case .uriTooLong: "The URI is too long."
        case .headersTooLarge: "The headers are too large."
        case .upgradeRequired: "This endpoint speaks WebSocket."
        case .rateLimited: "Too many requests."
        case .internalError: "An internal error occurred."
        case .notImplemented: "Not implemented."
        case .notConfigured: "This installation is not set up for it."
        case .upstreamUnavailable: "An upstream service did not answer."
        case .unavailable: "The service is not available."
        }
    }
}

package import Contracts
package import Domain
import Storage

/// What a handler refuses a request with. Users see the code, a sentence and what to do; the cause goes to the log.
package struct APIError: Error {
    package let code: ErrorCode
    package var message: String?
    package var problems: [FieldProblem] = []
    package var suggestion: String?
    /// Members of the body that only this refusal has.
    package var extra = JSONObject()
    package var retryAfterSeconds: Int?
    /// For our log only.
    package var cause: (any Error)?

    package init(_ code: ErrorCode, _ message: String? = nil, suggestion: String? = nil) {
        self.code = code
        self.message = message
        self.suggestion = suggestion
    }

    package init(_ failure: ValidationFailure) {
        self.init(.validationFailed, ErrorBody.summary(of: failure))
        problems = failure.problems
    }

    /// Why a credential is not taken: 401.
    package init(_ refusal: AccessControl.Refusal) {
        let code: ErrorCode
        switch refusal {
        case .missing: code = .authenticationRequired
        case .invalid: code = .invalidToken
        case .expired: code = .tokenExpired
        }
        self.init(code, suggestion: "send the header Authorization: Bearer <ARAGORA_API_TOKEN>")
    }

    /// Why nobody was authenticated: the credential, or a store that could not be asked about it.
    package init(authenticating error: any Error) {
        if let refusal = error as? AccessControl.Refusal { self.init(refusal) } else { self = .unavailable(error) }
    }

    /// Who asks may not: 403, with the permission that is missing.
    package static func denied(_ permission: Permission, _ reason: String? = nil) -> APIError {
        let detail = reason.map { ": \($0)" } ?? ""
        var error = APIError(.permissionDenied, "Permission denied: \(permission.rawValue)\(detail)")
        error.extra = JSONObject([("required_permission", .string(permission.rawValue))])
        return error
    }

    /// An administrator who must turn a second factor on first.
    package static var secondFactorRequired: APIError {
        var error = APIError(.secondFactorRequired, suggestion: "begin with POST /api/auth/mfa/setup")
        error.extra = JSONObject([("required_action", .string("/api/auth/mfa/setup"))])
        return error
    }

    /// A store did not answer: not the client's fault, worth another try. What is broken rather than away is a 500.
    package static func unavailable(_ cause: any Error) -> APIError {
        var error = APIError((cause as? StorageError)?.code == .broken ? .internalError : .unavailable)
        error.cause = cause
        return error
    }
}

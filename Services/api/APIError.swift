import Contracts
import Domain

/// What a handler refuses a request with. Users see the code, a sentence and what to do; the cause goes to the log.
struct APIError: Error {
    let code: ErrorCode
    var message: String?
    var problems: [FieldProblem] = []
    var suggestion: String?
    var extra = JSONObject()
    var retryAfterSeconds: Int?
    /// For our log only.
    var cause: (any Error)?

    init(_ code: ErrorCode, _ message: String? = nil, suggestion: String? = nil) {
        self.code = code
        self.message = message
        self.suggestion = suggestion
    }

    init(_ failure: ValidationFailure) {
        self.init(.validationFailed)
        problems = failure.problems
        if let first = failure.problems.first { message = "\(first.field): \(first.message)" }
    }

    /// A store did not answer: our fault, worth another try.
    static func unavailable(_ cause: any Error) -> APIError {
        var error = APIError(.unavailable)
        error.cause = cause
        return error
    }
}

package import Domain

/// The one body of every error answer, always flat (contract §0.4).
package struct ErrorBody: Sendable {
    package let code: ErrorCode
    /// What the user reads; the code's own sentence unless something more exact is known. Never an internal message.
    package var message: String
    /// 32 hex digits that find the log lines.
    package var traceID: String
    package var errors: [FieldProblem] = []
    /// What to do about it.
    package var suggestion: String?
    /// Members an endpoint adds, such as `required_permission`.
    package var extra: JSONObject

    package init(
        _ code: ErrorCode, message: String? = nil, traceID: String, errors: [FieldProblem] = [],
        suggestion: String? = nil, extra: JSONObject = JSONObject()
    ) {
        self.code = code
        self.message = message ?? code.sentence
        self.traceID = traceID
        self.errors = errors
        self.suggestion = suggestion
        self.extra = extra
    }

    /// The body of a refused request.
    package init(_ failure: ValidationFailure, traceID: String) {
        self.init(.validationFailed, message: Self.summary(of: failure), traceID: traceID, errors: failure.problems)
    }

    /// The first problems in one line; `errors` has them all.
    package static func summary(of failure: ValidationFailure) -> String {
        let shown = failure.problems.prefix(3).map { "\($0.field): \($0.message)" }.joined(separator: "; ")
        let rest = failure.problems.count - 3
        return rest > 0 ? "\(shown); and \(rest) more" : shown
    }

    package var json: JSONValue {
        var object = JSONObject([
            ("error", .string(message)), ("code", .string(code.rawValue)), ("trace_id", .string(traceID)),
        ])
        if !errors.isEmpty {
            object.append(
                "errors", .array(errors.map { ["field": .string($0.field), "message": .string($0.message)] }))
        }
        if let suggestion { object.append("suggestion", .string(suggestion)) }
        for member in extra.members { object[member.key] = member.value }
        return .object(object)
    }

    package var bytes: [UInt8] { json.bytes }
}

/// One thing that is wrong with one field of a request.
package struct FieldError: Sendable, Equatable {
    /// The field as the user wrote it, `agents[2].role`; `body` for the whole.
    package let field: String
    /// A sentence a user may read.
    package let message: String

    package init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    var json: JSONValue { ["field": .string(field), "message": .string(message)] }
}

/// A request that is refused, with everything that is wrong with it.
package struct ValidationFailure: Error, Sendable, Equatable {
    /// `.invalidJSON` when the body is no JSON, `.bodyTooLarge` when it is too long, else `.validationFailed`.
    package let code: ErrorCode
    /// Never empty, at most ``maximumErrors``.
    package let errors: [FieldError]

    /// So many problems are told; a body of garbage does not get a book back.
    package static let maximumErrors = 50

    package init(_ code: ErrorCode = .validationFailed, _ errors: [FieldError]) {
        self.code = code
        self.errors = Array(errors.prefix(Self.maximumErrors))
    }

    /// The problems in one line, for the `error` text.
    package var summary: String {
        errors.prefix(3).map { "\($0.field): \($0.message)" }.joined(separator: "; ")
            + (errors.count > 3 ? "; and \(errors.count - 3) more" : "")
    }
}

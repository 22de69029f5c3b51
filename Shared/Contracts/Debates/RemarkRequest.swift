package import Domain

/// `POST /debates/{id}/messages`: what a person says into a running debate.
package enum RemarkRequest {
    /// - Throws: `ValidationFailure` when `content` is missing, empty or too long.
    package static func parse(_ bytes: [UInt8], maximumCharacters: Int) throws(ValidationFailure) -> String {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        guard let text = (object["content"] ?? object["message"])?.string else {
            throw ValidationFailure([FieldProblem("content", "is required and must be a string")])
        }
        let isEmpty = text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        guard !isEmpty, text.unicodeScalars.count <= maximumCharacters else {
            throw ValidationFailure([FieldProblem("content", "must have 1 to \(maximumCharacters) characters")])
        }
        return text
    }
}

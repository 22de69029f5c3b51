package import Domain

/// What a person asks of a running debate: `POST /debates/{id}/messages`, and `…/intervene`, which can do more.
package enum Intervention: Sendable, Equatable {
    case remark(Remark)
    case pause, resume, stop

    private static let messages: Set<String> = [
        "message", "user", "human", "participant", "moderator", "comment", "suggestion", "question", "user_suggestion",
    ]
    private static let constraints: Set<String> = ["constraint", "requirement"]
    private static let choices = "message, constraint, pause, resume, stop"

    /// Reads `content`, `role` or `type`, and `apply_at_round`.
    ///
    /// - Parameter rounds: how many the debate may have.
    /// - Throws: `ValidationFailure`.
    package static func parse(
        _ bytes: [UInt8], rounds: Int, maximumCharacters: Int
    ) throws(ValidationFailure) -> Intervention {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        var fields = RequestFields(object, nestedIn: [])
        let (field, word) = (fields.string("type") ?? fields.string("role")) ?? ("role", "message")
        switch word.trimmed.lowercased() {
        case "pause": return .pause
        case "resume": return .resume
        case "stop", "cancel": return .stop
        case let kind where messages.contains(kind) || constraints.contains(kind):
            let remark = remark(&fields, constraints.contains(kind) ? .constraint : .message, rounds, maximumCharacters)
            guard let remark, fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
            return .remark(remark)
        default: throw ValidationFailure([FieldProblem(field, "must be one of: \(choices)")])
        }
    }

    private static func remark(
        _ fields: inout RequestFields, _ kind: Remark.Kind, _ rounds: Int, _ maximumCharacters: Int
    ) -> Remark? {
        let round = fields.int("apply_at_round", 1...rounds)
        guard let text = (fields.string("content") ?? fields.string("message"))?.text else {
            fields.refuse("content", "is required and must be a string")
            return nil
        }
        let isEmpty = text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        guard !isEmpty, text.unicodeScalars.count <= maximumCharacters else {
            fields.refuse("content", "must have 1 to \(maximumCharacters) characters")
            return nil
        }
        return Remark(text, kind: kind, firstRound: round)
    }
}

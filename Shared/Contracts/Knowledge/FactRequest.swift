package import Domain

/// `POST /knowledge/facts`: what a person writes down.
package struct FactRequest: Sendable, Equatable {
    package static let maximumCharacters = 10_000
    package static let maximumTopics = 20
    package static let maximumTopicCharacters = 100
    package static let maximumMetadataBytes = 16 * 1024
    package static let defaultConfidence = Ratio(0.5)

    package let statement: String
    package let confidence: Ratio
    package let topics: [String]
    /// With `evidence_ids`, `source_documents` and `source` as they were sent.
    package let metadata: JSONObject

    /// - Throws: `ValidationFailure` with every problem.
    package static func parse(_ bytes: [UInt8]) throws(ValidationFailure) -> FactRequest {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        var fields = RequestFields(object, nestedIn: [])
        let request = FactRequest(
            statement: statement(&fields), confidence: confidence(&fields), topics: topics(&fields),
            metadata: metadata(&fields))
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return request
    }

    private static func statement(_ fields: inout RequestFields) -> String {
        let given = [fields.string("statement"), fields.string("content")].compactMap(\.self)
        guard let (field, text) = given.first else {
            if fields.problems.isEmpty { fields.refuse("statement", "is required (also accepted: content)") }
            return ""
        }
        for other in given.dropFirst() { fields.checkLength(other.field, other.text.trimmed, 1...maximumCharacters) }
        fields.checkLength(field, text.trimmed, 1...maximumCharacters)
        return text.trimmed
    }

    private static func confidence(_ fields: inout RequestFields) -> Ratio {
        guard let (field, value) = fields.value("confidence") else { return defaultConfidence }
        guard let number = value.double, (0...1).contains(number) else {
            fields.refuse(field, "must be a number from 0 to 1")
            return defaultConfidence
        }
        return Ratio(number)
    }

    private static func topics(_ fields: inout RequestFields) -> [String] {
        let given = ["topics", "tags"].compactMap(fields.value).map { topics($0.field, $0.value, &fields) }
        return given.first ?? []
    }

    private static func topics(_ field: String, _ value: JSONValue, _ fields: inout RequestFields) -> [String] {
        let texts = (value.array ?? []).compactMap(\.string)
        guard let list = value.array, texts.count == list.count, texts.count <= maximumTopics,
            texts.allSatisfy({ (1...maximumTopicCharacters).contains($0.unicodeScalars.count) })
        else {
            fields.refuse(
                field,
                "must be a list of at most \(maximumTopics) texts of 1 to \(maximumTopicCharacters) characters")
            return []
        }
        return texts
    }

    private static func metadata(_ fields: inout RequestFields) -> JSONObject {
        var object = fields.object("metadata")?.object ?? JSONObject()
        for name in ["evidence_ids", "source_documents", "source"] where object[name] == nil {
            if let (_, value) = fields.value(name) { object.append(name, value) }
        }
        if CanonicalJSON.encode(object).count > maximumMetadataBytes {
            fields.refuse("metadata", "must have at most \(maximumMetadataBytes) bytes")
        }
        return object
    }
}

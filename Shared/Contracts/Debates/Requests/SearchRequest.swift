package import Domain

/// `POST /search`: the words, and which page of what was found.
package struct SearchRequest: Sendable, Equatable {
    package static let maximumCharacters = 200
    package static let limitRange = 1...100
    package static let offsetRange = 0...1_000_000
    package static let scopes = ["debates", "all"]

    package let query: String
    package let limit: Int
    package let offset: Int

    /// - Throws: `ValidationFailure`.
    package static func parse(_ bytes: [UInt8]) throws(ValidationFailure) -> SearchRequest {
        var fields = try RequestFields(body: bytes)
        let given = [fields.string("query"), fields.string("q")].compactMap(\.self)
        for query in given { fields.checkLength(query.field, query.text, 1...maximumCharacters) }
        let query = given.first
        if query == nil, fields.problems.isEmpty {
            fields.refuse("query", "is required")
        }
        _ = fields.choice("scope", of: scopes, unsupported: [])
        let limit = fields.int("limit", limitRange)
        let offset = fields.int("offset", offsetRange)
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return SearchRequest(query: query?.text ?? "", limit: limit ?? 20, offset: offset ?? 0)
    }
}

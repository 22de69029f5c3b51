package import Domain

/// `PATCH /debates/{id}`: what people may change of a debate; what is absent stays.
package struct UpdateDebateRequest: Sendable, Equatable {
    package enum Wish: String, Sendable, CaseIterable { case active, paused, concluded, archived }

    package static let maximumTitleCharacters = 500
    package static let maximumTags = 20
    package static let maximumTagCharacters = 64

    /// Empty to take it away.
    package let title: String?
    package let tags: [String]?
    package let status: Wish?
    package let metadata: JSONObject?

    /// - Throws: `ValidationFailure`, also when nothing is to be changed.
    package static func parse(_ bytes: [UInt8]) throws(ValidationFailure) -> UpdateDebateRequest {
        var fields = try RequestFields(body: bytes)
        let title = fields.string("title")
        if let title { fields.checkLength(title.field, title.text, 0...maximumTitleCharacters) }
        let status = fields.choice("status", of: Wish.allCases.map(\.rawValue), unsupported: [])
        let metadata = fields.object("metadata")
        if let metadata, CanonicalJSON.encode(metadata.object).count > CreateDebateRequest.maximumMetadataBytes {
            fields.refuse(metadata.field, "must have at most \(CreateDebateRequest.maximumMetadataBytes) bytes")
        }
        let request = UpdateDebateRequest(
            title: title?.text.trimmed, tags: tags(&fields), status: status.flatMap(Wish.init(rawValue:)),
            metadata: metadata?.object)
        if request == UpdateDebateRequest(title: nil, tags: nil, status: nil, metadata: nil), fields.problems.isEmpty {
            fields.refuse("body", "must have one of title, tags, status, metadata")
        }
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return request
    }

    private static func tags(_ fields: inout RequestFields) -> [String]? {
        guard let (field, value) = fields.value("tags") else { return nil }
        guard let values = value.array else {
            fields.refuse(field, "must be a list, not \(value.typeName)")
            return nil
        }
        guard values.count <= maximumTags else {
            fields.refuse(field, "must have at most \(maximumTags) tags")
            return nil
        }
        var tags: [String] = []
        for (index, value) in values.enumerated() {
            guard let tag = value.string?.trimmed, (1...maximumTagCharacters).contains(tag.unicodeScalars.count) else {
                fields.refuse("\(field)[\(index)]", "must be a string of 1 to \(maximumTagCharacters) characters")
                continue
            }
            if !tags.contains(tag) { tags.append(tag) }
        }
        return tags
    }
}

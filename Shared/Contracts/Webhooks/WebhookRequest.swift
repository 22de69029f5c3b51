package import Domain

/// `POST /webhooks` and `PATCH /webhooks/{id}`: where to send what.
package struct WebhookRequest: Sendable, Equatable {
    package static let maximumURLBytes = 2048
    package static let maximumDescriptionCharacters = 500
    package static let maximumHeaders = 20
    package static let maximumHeaderBytes = 4096
    /// Of the secret itself, as Standard Webhooks has it.
    package static let secretBytes = 24...64
    /// Headers that are ours, or that would change what the request is.
    static let reservedHeaders: Set<String> = [
        "host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "expect", "te",
        "trailer", "webhook-id", "webhook-timestamp", "webhook-signature", "user-agent",
    ]

    package let url: String?
    package let events: [String]?
    /// The text `whsec_…` as it was given.
    package let secret: String?
    package let about: String?
    /// Sent with each delivery, in this order.
    package let headers: [(name: String, value: String)]?
    package let isActive: Bool?

    package static func == (left: WebhookRequest, right: WebhookRequest) -> Bool {
        left.url == right.url && left.events == right.events && left.secret == right.secret
            && left.about == right.about && left.isActive == right.isActive
            && left.headers?.map(\.name) == right.headers?.map(\.name)
            && left.headers?.map(\.value) == right.headers?.map(\.value)
    }

    /// - Parameter isNew: `url` and `events` are needed then.
    /// - Throws: `ValidationFailure` with every problem.
    package static func parse(_ bytes: [UInt8], isNew: Bool) throws(ValidationFailure) -> WebhookRequest {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        var fields = RequestFields(object, nestedIn: [])
        let request = WebhookRequest(
            url: url(&fields, isNew), events: events(&fields, isNew), secret: fields.string("secret")?.text,
            about: about(&fields), headers: headers("headers", &fields),
            isActive: fields.bool("active") ?? fields.bool("is_active"))
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return request
    }

    private static func url(_ fields: inout RequestFields, _ isNew: Bool) -> String? {
        if isNew, fields.value("url") == nil { fields.refuse("url", "is required") }
        return address("url", &fields)
    }

    /// An address that something can be sent to, under any name.
    static func address(_ name: String, _ fields: inout RequestFields) -> String? {
        guard let (field, text) = fields.string(name) else { return nil }
        let isPrintable = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
        let authority = text.dropFirst(scheme?.count ?? 0).prefix { !"/?#".contains($0) }
        guard isPrintable, scheme != nil, !authority.isEmpty, !authority.contains("@"), !authority.contains("\\"),
            text.utf8.count <= maximumURLBytes
        else {
            fields.refuse(
                field, "must be an address with http:// or https://, without user and password, of at most 2048 bytes")
            return nil
        }
        return text
    }

    private static func events(_ fields: inout RequestFields, _ isNew: Bool) -> [String]? {
        guard let (field, value) = fields.value("events") else {
            if isNew { fields.refuse("events", "is required") }
            return nil
        }
        let known = WebhookEvent.allCases.filter { $0 != .test }.map(\.rawValue) + WebhookEvent.groups
        let texts = (value.array ?? []).compactMap(\.string)
        guard let list = value.array, !list.isEmpty, texts.count == list.count, texts.allSatisfy(known.contains),
            texts.count <= known.count
        else {
            fields.refuse(field, "must be a list of: \(known.joined(separator: ", "))")
            return nil
        }
        return texts
    }

    private static func about(_ fields: inout RequestFields) -> String? {
        guard let (field, text) = fields.string("description") else { return nil }
        fields.checkLength(field, text, 0...maximumDescriptionCharacters)
        return text
    }

    /// Headers to send, under any name.
    static func headers(_ name: String, _ fields: inout RequestFields) -> [(name: String, value: String)]? {
        guard let (field, object) = fields.object(name) else { return nil }
        let headers = object.members.compactMap { member in member.value.string.map { (name: member.key, value: $0) } }
        let size = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        let isToken: (String) -> Bool = { name in
            !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }
        }
        guard headers.count == object.members.count, headers.count <= maximumHeaders, size <= maximumHeaderBytes,
            headers.allSatisfy({
                isToken($0.name) && !reservedHeaders.contains($0.name.lowercased())
                    && $0.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            })
        else {
            fields.refuse(field, "must be names and values of headers, at most 20 and 4096 bytes, none of our own")
            return nil
        }
        return headers
    }
}

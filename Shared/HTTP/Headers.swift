/// A field name that is a token, so it can not carry a line break (RFC 9110 §5.1). Compared without case.
package struct HeaderName: Sendable, Hashable, ExpressibleByStringLiteral {
    /// As it is written on the wire.
    package let text: String
    private let key: String
    /// Whether it says how the message is framed: only ``ResponseWriter`` writes such fields.
    let isOwned: Bool

    /// nil when `text` is not a token.
    package init?(_ text: String) {
        guard ByteClass.isToken(text.utf8) else { return nil }
        self.text = text
        key = text.lowercased()
        isOwned = Self.owned.contains(key)
    }

    /// For names in our own source.
    package init(stringLiteral text: String) {
        guard let name = HeaderName(text) else { preconditionFailure("\(text) is not a field name") }
        self = name
    }

    package static func == (left: HeaderName, right: HeaderName) -> Bool { left.key == right.key }
    package func hash(into hasher: inout Hasher) { hasher.combine(key) }

    package static let allow: HeaderName = "Allow"
    package static let cacheControl: HeaderName = "Cache-Control"
    package static let contentType: HeaderName = "Content-Type"
    package static let location: HeaderName = "Location"
    package static let retryAfter: HeaderName = "Retry-After"
    package static let vary: HeaderName = "Vary"
    package static let wwwAuthenticate: HeaderName = "WWW-Authenticate"

    private static let owned: Set<String> = ["content-length", "transfer-encoding", "connection", "date", "keep-alive"]
}

/// A field value without CR, LF, NUL or other controls, so it can not carry a second field (RFC 9110 §5.5).
package struct HeaderValue: Sendable, Hashable, ExpressibleByStringLiteral {
    package let text: String

    /// nil when `text` holds a control character; blanks at the ends are removed.
    package init?(_ text: String) {
        guard text.utf8.allSatisfy(ByteClass.isFieldValue) else { return nil }
        self.text = HeaderText.trimmed(text)
    }

    package init(_ number: Int) { text = String(number) }

    /// For values in our own source, which debug builds check.
    package init(stringLiteral text: String) {
        assert(HeaderValue(text)?.text == text, "\(text) is not a field value")
        self.text = text
    }
}

/// The fields of a response, in the order they were set.
package struct Headers: Sendable, ExpressibleByDictionaryLiteral {
    package struct Field: Sendable, Equatable {
        package let name: HeaderName
        package let value: HeaderValue
    }

    package private(set) var fields: [Field] = []

    package init() {}

    package init(dictionaryLiteral elements: (HeaderName, HeaderValue)...) {
        for (name, value) in elements { add(name, value) }
    }

    /// The first value of a field. Setting replaces all of them; nil removes them.
    package subscript(_ name: HeaderName) -> HeaderValue? {
        get { fields.first { $0.name == name }?.value }
        set {
            fields.removeAll { $0.name == name }
            if let newValue { add(name, newValue) }
        }
    }

    /// Adds a field beside those of the same name, as `Set-Cookie` needs. Framing fields are the writer's and ignored.
    package mutating func add(_ name: HeaderName, _ value: HeaderValue) {
        guard !name.isOwned else { return }
        fields.append(Field(name: name, value: value))
    }
}

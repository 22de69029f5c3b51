/// A field name that is a token, so it can not carry a line break (RFC 9110 §5.1). Compared without case.
package struct HeaderName: Sendable, Hashable, ExpressibleByStringLiteral {
    /// As it is written on the wire.
    package let text: String
    private let key: String
    /// Of the key: tells two names apart without reading them.
    private let digest: UInt64
    /// Whether it says how the message is framed: only ``ResponseWriter`` writes such fields.
    let isOwned: Bool

    /// nil when `text` is not a token.
    package init?(_ text: String) {
        guard ByteClass.isToken(text.utf8) else { return nil }
        self.text = text
        key = text.lowercased()
        // FNV-1a, 64 bits.
        digest = key.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        isOwned = Self.owned.contains(key)
    }

    /// For names in our own source.
    package init(stringLiteral text: String) {
        guard let name = HeaderName(text) else { preconditionFailure("\(text) is not a field name") }
        self = name
    }

    package static func == (left: HeaderName, right: HeaderName) -> Bool {
        left.digest == right.digest && left.key == right.key
    }
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

    /// For text that was made of such characters alone, which debug builds check.
    package init(made text: String) {
        assert(HeaderValue(text)?.text == text, "\(text) is not a field value")
        self.text = text
    }

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

    /// Those that this response set itself.
    private var own: [Field] = []
    /// Those it has in common with others; none of them is among its own.
    private(set) var common: FieldBlock?

    /// All of them, the common ones first.
    package var fields: [Field] { common.map { $0.fields + own } ?? own }
    /// Those that are not common.
    var ownFields: [Field] { own }

    package init() {}

    package init(dictionaryLiteral elements: (HeaderName, HeaderValue)...) {
        for (name, value) in elements { add(name, value) }
    }

    private static let usualCount = 4

    /// The first value of a field. Setting replaces all of them; nil removes them.
    package subscript(_ name: HeaderName) -> HeaderValue? {
        get { own.first { $0.name == name }?.value ?? common?[name] }
        set {
            if common?[name] != nil { dissolve() }
            if own.contains(where: { $0.name == name }) { own.removeAll { $0.name == name } }
            if let newValue { add(name, newValue) }
        }
    }

    /// Adds those of a block that are not there yet.
    package mutating func fill(_ block: FieldBlock) {
        guard common != nil || own.contains(where: { block[$0.name] != nil }) else {
            common = block
            return
        }
        for field in block.fields where self[field.name] == nil { own.append(field) }
    }

    private mutating func dissolve() {
        own = fields
        common = nil
    }

    /// Adds a field beside those of the same name, as `Set-Cookie` needs. Framing fields are the writer's and ignored.
    package mutating func add(_ name: HeaderName, _ value: HeaderValue) {
        guard !name.isOwned else { return }
        if own.isEmpty { own.reserveCapacity(Self.usualCount) }
        own.append(Field(name: name, value: value))
    }
}

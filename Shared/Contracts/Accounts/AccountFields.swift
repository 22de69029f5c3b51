import Domain

/// Reads the fields of an account's request and collects what is wrong. Never repeats a value: some are passwords.
struct AccountFields {
    private var fields: RequestFields

    init(_ object: JSONObject) { fields = RequestFields(object, nestedIn: []) }

    mutating func refuse(_ field: String, _ message: String) { fields.refuse(field, message) }

    func finish() throws(ValidationFailure) {
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
    }

    /// The text as it is: a password may begin with a blank.
    mutating func text(_ name: String, maximum: Int) -> String? {
        guard let (field, text) = fields.string(name) else { return nil }
        fields.checkLength(field, text, 0...maximum)
        if text.utf8.contains(0) { refuse(field, "must not contain NUL") }
        return text
    }

    /// One line without control characters, trimmed: it goes into lists and headers.
    mutating func line(_ name: String, maximum: Int) -> String? {
        guard let text = text(name, maximum: maximum)?.trimmed else { return nil }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            refuse(name, "must not contain control characters")
        }
        return text
    }

    mutating func required(_ name: String, maximum: Int) -> String {
        if let text = text(name, maximum: maximum), !text.isEmpty { return text }
        if fields.value(name)?.value.string?.isEmpty ?? true { refuse(name, "is required") }
        return ""
    }

    mutating func newPassword(_ name: String, or other: String? = nil) -> String {
        let name = fields.value(name) == nil ? other ?? name : name
        guard let (field, text) = fields.string(name) else {
            if fields.value(name) == nil { refuse(name, "is required") }
            return ""
        }
        fields.checkLength(field, text, AccountRequests.passwordCharacters)
        if text.utf8.contains(0) { refuse(field, "must not contain NUL") }
        return text
    }

    /// An address in lower case: something, `@`, something with a point or a name, without blanks.
    mutating func email() -> String {
        let email = required("email", maximum: AccountRequests.emailCharacters.upperBound).trimmed.lowercased()
        guard !email.isEmpty else { return "" }
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = email.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace
        }
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.count <= 64, !parts[1].isEmpty, isPlain else {
            refuse("email", "must be an address such as name@example.org")
            return ""
        }
        return email
    }

    mutating func flag(_ name: String) -> Bool? { fields.bool(name) }

    mutating func role() -> Role? {
        guard let (field, text) = fields.string("role") else { return nil }
        if let role = Role(named: text) { return role }
        refuse(field, "must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }

    /// A list of permissions; `*` and an absent list mean all that the user may.
    mutating func scopes() -> Set<Permission>? {
        guard let (field, value) = fields.value("scopes") ?? fields.value("permissions") else { return nil }
        let list = value.array ?? value.string.map { $0.split(separator: ",").map { .string(String($0)) } }
        guard let list, list.count <= 100 else {
            refuse(field, "must be a list of permissions")
            return nil
        }
        var scopes: Set<Permission> = []
        for item in list {
            guard let text = item.string?.trimmed else {
                refuse(field, "must be a list of permissions")
                return nil
            }
            if text == "*" { return nil }
            guard let permission = Permission(rawValue: text) else {
                refuse(field, "has an unknown permission; GET /api/rbac/permissions lists them")
                return nil
            }
            scopes.insert(permission)
        }
        return scopes
    }

    mutating func time(_ name: String) -> Timestamp? {
        guard let (field, value) = fields.value(name) else { return nil }
        if let seconds = value.double, seconds > 0, seconds < 1e11 {
            return Timestamp(milliseconds: Int64(seconds * 1000))
        }
        if let text = value.string, let time = Timestamp(iso8601: text) { return time }
        refuse(field, "must be a time such as 2027-01-31T12:00:00Z")
        return nil
    }
}

/// Who owns debates, receipts, knowledge and budgets: what one organization has, another can not see.
package struct OrganizationID: Hashable, Sendable, CustomStringConvertible {
    /// The organization that every installation has: of the service token, and of what was made before there were others.
    package static let `default` = OrganizationID(known: "org_default")

    package let text: String

    /// - Returns: nil unless the text has the form of an id.
    package init?(_ text: String) {
        guard text == Self.default.text || Identifier.isValid(text, prefix: "org_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "org_", milliseconds: milliseconds, random: random)
    }

    private init(known text: String) { self.text = text }

    package var description: String { text }
}

/// A person with an account, `usr_…`.
package struct UserID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// - Returns: nil unless the text has the form of an id.
    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "usr_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "usr_", milliseconds: milliseconds, random: random)
    }

    package var description: String { text }
}

/// One sign-in of a user, `ses_…`: a family of refresh tokens, of which only the newest is good.
package struct SessionID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// - Returns: nil unless the text has the form of an id.
    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "ses_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "ses_", milliseconds: milliseconds, random: random)
    }

    package var description: String { text }
}

/// An API key's id, `key_…`; the key itself is told once and never stored.
package struct APIKeyID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// - Returns: nil unless the text has the form of an id.
    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "key_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "key_", milliseconds: milliseconds, random: random)
    }

    package var description: String { text }
}

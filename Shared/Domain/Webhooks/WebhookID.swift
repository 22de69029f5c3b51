/// A webhook endpoint's id, `whk_…`.
package struct WebhookID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// - Returns: nil unless the text has the form of an id.
    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "whk_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "whk_", milliseconds: milliseconds, random: random)
    }

    package var description: String { text }
}

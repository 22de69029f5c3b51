/// The id of something that is known, `kno_…`: the conclusion of a debate, or what a person wrote down.
package struct KnowledgeID: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// - Returns: nil unless the text has the form of an id.
    package init?(_ text: String) {
        guard Identifier.isValid(text, prefix: "kno_") else { return nil }
        self.text = text
    }

    package init(milliseconds: Int64, random: [UInt8]) {
        text = Identifier.make(prefix: "kno_", milliseconds: milliseconds, random: random)
    }

    /// The item that a debate's conclusion becomes: always the same, so that storing it twice is storing it once.
    package init(conclusionOf debate: DebateID) { text = "kno_" + debate.text.dropFirst(4) }

    package var description: String { text }
}

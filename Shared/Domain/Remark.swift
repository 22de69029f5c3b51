/// Something that a person says into a running debate; prompts quote it from the next round on.
package struct Remark: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// To be thought about.
        case message
        /// A condition that every position must meet, or say why it can not.
        case constraint
    }

    package let content: String
    package let kind: Kind
    /// The first round whose prompts quote it; nil for the next one.
    package let firstRound: Int?

    package init(_ content: String, kind: Kind = .message, firstRound: Int? = nil) {
        self.content = content
        self.kind = kind
        self.firstRound = firstRound
    }
}

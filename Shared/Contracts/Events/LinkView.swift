package import Domain

/// What a shared link shows of a debate's log: all of it, but for what belongs to the organization rather than to the debate.
/// That is withheld as if it had been erased, so that the chain can still be followed.
package enum LinkView {
    /// What other debates of the organization concluded, and how its budgets stand.
    package static let withheld: Set<String> = ["knowledge_recalled", "budget_alert"]

    /// What to do with an envelope that is passed on unread.
    package enum Finding: Sendable, Equatable {
        case shown
        /// Its content is not for who has a link.
        case withheld
        /// It does not begin as envelopes do: nobody can say what it is.
        case unknown
    }

    /// By the first bytes of an envelope alone: they are always the same up to the type.
    package static func finding(_ envelope: [UInt8]) -> Finding {
        let rest = envelope.dropFirst(start.count)
        // A type is a word of ours: nothing in it is escaped.
        guard envelope.starts(with: start), let end = rest.prefix(longestType + 1).firstIndex(of: UInt8(ascii: "\"")),
            let type = String(validating: rest[..<end], as: UTF8.self), !type.contains("\\")
        else { return .unknown }
        return withheld.contains(type) ? .withheld : .shown
    }

    private static let start = Array(#"{"v":1,"type":""#.utf8)
    private static let longestType = 64
}

extension SealedEvent {
    /// As a link shows it.
    package var shownByLink: SealedEvent { LinkView.withheld.contains(type) ? withoutContent : self }
}

import Domain

/// Where a page of a list of debates ended: the next one begins after it, wherever it stands in the list by then.
///
/// An offset counts what was left out, and so costs more the further one goes; this is found in an index.
package struct DebateCursor: Sendable, Hashable {
    /// What asks for the first page.
    package static let start = "start"
    package static let maximumCharacters = 64

    let createdAt: Timestamp
    let id: DebateID

    package init(_ last: DebateSummary) {
        createdAt = last.createdAt
        id = last.id
    }

    /// From ``text``; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0]), (0...Self.latest).contains(milliseconds),
            let id = DebateID(String(parts[1]))
        else { return nil }
        createdAt = Timestamp(milliseconds: milliseconds)
        self.id = id
    }

    /// For clients, who make nothing of it.
    package var text: String { "\(createdAt.milliseconds).\(id.text)" }

    /// The end of the year 9999.
    private static let latest: Int64 = 253_402_300_799_999
}

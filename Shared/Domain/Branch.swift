/// Where a debate branched off another: up to there that one's history is its own, by reference and never copied.
package struct Branch: Hashable, Sendable {
    package let parent: DebateID
    /// The parent's rounds that are shared, all of them complete; 0 for its question alone.
    package let round: Int
    /// The newest event that is shared.
    package let tail: LogTail

    package init(parent: DebateID, round: Int, tail: LogTail) {
        self.parent = parent
        self.round = round
        self.tail = tail
    }
}

/// What a branch takes over from its parent: what its first round is argued in the light of.
package struct Inheritance: Hashable, Sendable {
    /// What each agent held after the last shared round, by name.
    package let positions: [String: String]
    /// The same with how each voted, in the parent's order, for the others' eyes.
    package let statements: [PlannedCall.Contribution]
    /// What people had said by then, oldest first.
    package let remarks: [Remark]

    package init(
        positions: [String: String] = [:], statements: [PlannedCall.Contribution] = [], remarks: [Remark] = []
    ) {
        self.positions = positions
        self.statements = statements
        self.remarks = remarks
    }
}

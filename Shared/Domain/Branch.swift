/// Where a debate branched off another: up to there that one's history is its own, by reference and never copied.
package struct Branch: Hashable, Sendable {
    /// How often a debate may branch off one that branched off itself; each has its history from all before it.
    package static let maxGenerations = 16

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
    /// Where the agents stood after the last shared round; nil when nobody had said anything.
    package let earlier: PlannedCall.EarlierDebate?
    /// What people had said by then, oldest first.
    package let remarks: [Remark]

    package init(earlier: PlannedCall.EarlierDebate? = nil, remarks: [Remark] = []) {
        self.earlier = earlier
        self.remarks = remarks
    }
}

/// Follows options from one vote to the next, through everything that is reworded on the way.
///
/// Positions that say the same are one option (as in ``ChoiceGroups``). A group is the option of the last vote whose text
/// it is nearest to, each option going to one group: the nearest pair first; of equally near ones, one that shares a member.
/// What resembles nothing that was held before is a new option.
struct OptionTracker: Hashable, Sendable {
    /// Below this similarity two texts have nothing to do with each other: prose in one language shares more by its small words
    /// alone.
    static let unrelated = Ratio(0.05)

    private struct Known: Hashable, Sendable {
        let option: Int
        let words: WordSimilarity.Words
        let members: [String]
    }

    private struct Pair {
        let group: Int
        let known: Int
        let similarity: Ratio
        let shared: Int
    }

    private var last: [Known] = []
    private var next = 0

    /// - Returns: option and who holds it, in the panel's order.
    mutating func follow(_ panel: [(agent: String, text: String)]) -> [(option: Int, members: [String])] {
        let groups = Self.groups(of: panel)
        var options = [Int?](repeating: nil, count: groups.count)
        var taken: [Int] = []
        for pair in pairs(with: groups) where options[pair.group] == nil && !taken.contains(pair.known) {
            options[pair.group] = last[pair.known].option
            taken.append(pair.known)
        }
        last = groups.indices.map { index in
            let option = options[index] ?? fresh()
            return Known(option: option, words: groups[index].words, members: groups[index].members)
        }
        return last.map { ($0.option, $0.members) }
    }

    private mutating func fresh() -> Int {
        defer { next += 1 }
        return next
    }

    /// The same groups as those that a decision counts.
    private static func groups(
        of panel: [(agent: String, text: String)]
    ) -> [(text: String, words: WordSimilarity.Words, members: [String])] {
        var groups: [(text: String, words: WordSimilarity.Words, members: [String])] = []
        for (agent, text) in panel {
            if let same = groups.firstIndex(where: { $0.text == text }) {
                groups[same].members.append(agent)
                continue
            }
            let words = WordSimilarity.Words(text)
            if let near = groups.firstIndex(where: { $0.words.similarity(to: words) >= ConsensusRule.equivalent }) {
                groups[near].members.append(agent)
            } else {
                groups.append((text, words, [agent]))
            }
        }
        return groups
    }

    /// Related ones, the nearest first.
    private func pairs(
        with groups: [(text: String, words: WordSimilarity.Words, members: [String])]
    ) -> [Pair] {
        var pairs: [Pair] = []
        for (known, old) in last.enumerated() {
            for (group, new) in groups.enumerated() {
                let similarity = new.words.similarity(to: old.words)
                guard similarity >= Self.unrelated else { continue }
                let shared = new.members.count { old.members.contains($0) }
                pairs.append(Pair(group: group, known: known, similarity: similarity, shared: shared))
            }
        }
        return pairs.sorted { left, right in
            (left.similarity, left.shared, -left.group, -left.known)
                > (right.similarity, right.shared, -right.group, -right.known)
        }
    }
}

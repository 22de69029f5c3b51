/// Follows options from one vote to the next, through everything that is reworded on the way.
///
/// Positions that say the same are one option (as in ``ChoiceGroups``). A group goes on with an option of the last vote, each
/// option with one group, by the best of three reasons (``Ground``): it repeats the option's text; somebody in it held the
/// option; it shares what not all options said. Who holds a position says more than its words do: proposals on one question
/// share most of them. What has no reason to be an old option is a new one.
struct OptionTracker: Hashable, Sendable {
    /// Below this similarity to what somebody said before, it has been given up: prose in one language shares more by its
    /// small words alone.
    static let unrelated = Ratio(0.05)
    /// From this similarity on, beyond the words of all options, somebody new speaks of an option known before.
    static let related = Ratio(0.25)

    /// Why a group may be an option of the last vote; the stronger one is greater.
    private enum Ground: Int, Comparable {
        /// It resembles the option by what not all options said.
        case resembles
        /// Somebody in the group held it, and has not given up all its words.
        case held
        /// It is the option's text again.
        case repeats

        static func < (left: Ground, right: Ground) -> Bool { left.rawValue < right.rawValue }
    }

    private struct Known: Hashable, Sendable {
        let option: Int
        let words: WordSimilarity.Words
        let members: [String]
    }

    private struct Pair {
        let group: Int
        let known: Int
        let ground: Ground
        let shared: Int
        let similarity: Ratio
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

    /// Those with a ground, the best first; of equal grounds, a repeated text before the members it shares, and else after.
    private func pairs(
        with groups: [(text: String, words: WordSimilarity.Words, members: [String])]
    ) -> [Pair] {
        let common = last.count > 1 ? last.dropFirst().reduce(last[0].words) { $0.shared(with: $1.words) } : .none
        let distinct = last.map { $0.words.without(common) }
        var pairs: [Pair] = []
        for (group, new) in groups.enumerated() {
            let words = new.words.without(common)
            for (known, old) in last.enumerated() {
                let shared = new.members.count { old.members.contains($0) }
                let similarity = words.similarity(to: distinct[known])
                let ground = Self.ground(
                    whole: new.words.similarity(to: old.words), distinct: similarity, isHeld: shared > 0)
                guard let ground else { continue }
                pairs.append(Pair(group: group, known: known, ground: ground, shared: shared, similarity: similarity))
            }
        }
        return pairs.sorted { Self.rank($1).lexicographicallyPrecedes(Self.rank($0)) }
    }

    /// - Parameters:
    ///   - whole: similarity of the texts.
    ///   - distinct: similarity of what is left of them without the words of all options.
    private static func ground(whole: Ratio, distinct: Ratio, isHeld: Bool) -> Ground? {
        if whole >= ConsensusRule.equivalent, distinct >= ConsensusRule.equivalent { return .repeats }
        if isHeld, whole >= unrelated { return .held }
        return distinct >= related ? .resembles : nil
    }

    private static func rank(_ pair: Pair) -> [Int] {
        let nearness = Int(pair.similarity.tenThousandths)
        let order = pair.ground == .held ? [pair.shared, nearness] : [nearness, pair.shared]
        return [pair.ground.rawValue] + order + [-pair.group, -pair.known]
    }
}

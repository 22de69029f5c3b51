/// Valid votes, counted.
struct Tally {
    private struct Score {
        /// Ten-thousandths of a vote.
        var weight: Int64 = 0
        var confidence: Int64 = 0
    }

    private var scores: PanelMap<Score> = [:]

    /// - Parameter weights: by voter; 1 for whom none is given.
    init(_ votes: [Vote], groups: ChoiceGroups, weights: PanelMap<Ratio>) {
        for vote in votes {
            guard let choice = groups.representative(of: vote.choice) else { continue }
            scores[choice, default: Score()].weight += (weights[vote.agent] ?? .one).tenThousandths
            scores[choice, default: Score()].confidence &+= vote.confidence.tenThousandths
        }
    }

    /// Ten-thousandths of votes for a choice.
    func weight(of choice: String) -> Int64 { scores[choice]?.weight ?? 0 }
    var total: Int64 { scores.values.reduce(0) { $0 + $1.weight } }

    /// Most votes, then most confidence, then first in the panel: the same on every machine.
    func leader(among panel: [String]) -> String? {
        panel.filter { scores[$0] != nil }.reduce(nil) { best, candidate in
            guard let best, let lead = scores[best], let score = scores[candidate] else { return candidate }
            return (score.weight, score.confidence) > (lead.weight, lead.confidence) ? candidate : best
        }
    }

    /// Whether several lead with the same weight.
    var isTied: Bool {
        let most = scores.values.map(\.weight).max() ?? 0
        return scores.values.count { $0.weight == most } > 1
    }
}

/// Valid votes, counted.
struct Tally {
    private struct Score {
        /// What earlier votes say as well; goes before the votes that are counted here.
        var standing: Int64 = 0
        /// Ten-thousandths of a vote.
        var weight: Int64 = 0
        var confidence: Int64 = 0
    }

    private var scores: PanelMap<Score> = [:]

    /// - Parameters:
    ///   - weights: by voter; 1 for whom none is given.
    ///   - standing: by candidate; nil where only these votes decide.
    init(_ votes: [Vote], groups: ChoiceGroups, weights: PanelMap<Ratio>, standing: PanelMap<Int64>? = nil) {
        for vote in votes {
            guard let choice = groups.representative(of: vote.choice) else { continue }
            scores[choice, default: Score(standing: standing?[choice] ?? 0)].weight +=
                (weights[vote.agent] ?? .one).tenThousandths
            scores[choice, default: Score()].confidence &+= vote.confidence.tenThousandths
        }
    }

    /// Ten-thousandths of votes for a choice.
    func weight(of choice: String) -> Int64 { scores[choice]?.weight ?? 0 }
    var total: Int64 { scores.values.reduce(0) { $0 + $1.weight } }

    /// Highest standing, then most votes, then most confidence, then first in the panel: the same on every machine.
    func leader(among panel: [String]) -> String? {
        panel.filter { scores[$0] != nil }.reduce(nil) { best, candidate in
            guard let best, let lead = scores[best], let score = scores[candidate] else { return candidate }
            return (score.standing, score.weight, score.confidence) > (lead.standing, lead.weight, lead.confidence)
                ? candidate : best
        }
    }

    /// Whether several lead with the same standing and weight.
    var isTied: Bool {
        let ranks = scores.values.map { ($0.standing, $0.weight) }
        let best = ranks.max(by: <) ?? (0, 0)
        return ranks.count { $0 == best } > 1
    }
}

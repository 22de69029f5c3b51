/// Candidates whose positions say the same in other words, counted as one choice.
///
/// In the panel's order, a candidate joins the first group whose first member's position is similar enough; so the
/// groups are the same on every machine.
struct ChoiceGroups {
    /// Candidate → first member of its group; only those who hold a position.
    private var representatives: PanelMap<String> = [:]
    /// Groups of more than one, in the panel's order.
    private(set) var merged: [[String]] = []

    /// - Parameter merging: the least similarity of one choice; nil keeps every candidate apart.
    init(panel: [String], position: (String) -> String?, merging: Ratio?) {
        var groups: [(text: String, members: [String])] = []
        for agent in panel {
            guard let text = position(agent) else { continue }
            let known = groups.firstIndex { group in
                merging.map { group.text == text || WordSimilarity.between(group.text, text) >= $0 } ?? false
            }
            if let known { groups[known].members.append(agent) } else { groups.append((text, [agent])) }
            representatives[agent] = known.map { groups[$0].members[0] } ?? agent
        }
        merged = groups.map(\.members).filter { $0.count > 1 }
    }

    /// Who stands for a choice; nil when it names nobody who holds a position.
    func representative(of choice: String?) -> String? { choice.flatMap { representatives[$0] } }
}

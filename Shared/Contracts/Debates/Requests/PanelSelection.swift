import Domain

/// `auto_select` and `auto_select_config`: how many agents the installation chooses when nobody named any.
package struct PanelSelection: Sendable, Equatable {
    static let supported = ["min_agents", "max_agents"]

    /// Nil for what the default panel has.
    package let least: Int?
    package let most: Int?

    /// The size of a panel that would have `standard` agents.
    package func count(standard: Int) -> Int { min(max(standard, least ?? standard), most ?? Int.max) }

    static func read(_ fields: inout RequestFields) -> PanelSelection {
        let isAsked = fields.bool("auto_select")
        guard let (field, object) = fields.object("auto_select_config") else {
            return PanelSelection(least: nil, most: nil)
        }
        for key in object.members.map(\.key) where !supported.contains(key) {
            fields.refuse("\(field).\(key)", "is not supported; supported: \(supported.joined(separator: ", "))")
        }
        var own = RequestFields(object, nestedIn: [])
        let selection = PanelSelection(
            least: own.int("min_agents", DebateSpec.agentsRange), most: own.int("max_agents", DebateSpec.agentsRange))
        for problem in own.problems { fields.refuse("\(field).\(problem.field)", problem.message) }
        if let least = selection.least, let most = selection.most, least > most {
            fields.refuse("\(field).min_agents", "must not be more than max_agents")
        }
        if !object.isEmpty {
            if isAsked == false { fields.refuse(field, "belongs to auto_select: true") }
            if fields.value("agents") != nil { fields.refuse(field, "does not go with agents; send one of them") }
        }
        return selection
    }
}

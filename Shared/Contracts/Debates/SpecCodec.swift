package import Domain

/// A debate's specification as canonical JSON, for its row; event 1 has the same members.
package enum SpecCodec {
    /// The canonical bytes.
    package static func encode(_ spec: DebateSpec) -> [UInt8] { CanonicalJSON.encode(JSONObject(fields(of: spec))) }

    /// Reads a specification back.
    package static func decode(_ bytes: [UInt8]) throws(ContractError) -> DebateSpec {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, maximumBytes: EventCodec.maximumBytes)
        } catch {
            throw ContractError(.malformed, "specification: \(error)")
        }
        return try EventFields(type: "specification", object: value.object ?? JSONObject()).debateSpec()
    }

    static func fields(of spec: DebateSpec) -> [(String, JSONValue)] {
        [
            ("task", .string(spec.topic)), ("context", .optional(spec.context)),
            ("agent_specs", .array(spec.agents.map(json(of:)))),
            ("protocol", .object(rules(of: spec))),
        ]
    }

    /// What a debate leaves at its standard is left out, so that logs of the first engine read and write the same bytes.
    private static func rules(of spec: DebateSpec) -> JSONObject {
        var rules = JSONObject([
            ("consensus", .string(spec.consensus.rawValue)), ("rounds", .int(Int64(spec.rounds))),
            ("timeout_seconds", .int(Int64(spec.timeoutSeconds))),
            ("budget_micro_usd", spec.budget.map { .int($0.amount) } ?? .null),
        ])
        if spec.format != .light { rules.append("debate_format", .string(spec.format.rawValue)) }
        if spec.threshold != spec.consensus.standardThreshold { rules.append("threshold", .ratio(spec.threshold)) }
        if spec.judge != .random { rules.append("judge_selection", .string(spec.judge.rawValue)) }
        if spec.isAdaptive { rules.append("adaptive", true) }
        if !spec.usesKnowledge { rules.append("knowledge", false) }
        if spec.seed != 0 { rules.append("seed", .int(spec.seed)) }
        return rules
    }

    private static func json(of agent: AgentSpec) -> JSONValue {
        var object = JSONObject([
            ("name", .string(agent.name)), ("provider", .string(agent.provider.rawValue)),
            ("model", .string(agent.model)), ("role", .string(agent.role.rawValue)),
            ("persona", .optional(agent.persona)),
        ])
        if agent.weight != .one { object.append("weight", .ratio(agent.weight)) }
        if agent.rating != AgentSpec.standardRating { object.append("rating", .int(Int64(agent.rating))) }
        return .object(object)
    }
}

package import Domain

/// `POST /debates/{id}/fork`: another debate that shares the first rounds of one, with changes.
package struct ForkRequest: Sendable, Equatable {
    /// The parent's rounds to share; 0 when not given.
    package let branchPoint: Int
    /// As a create would ask for it: what the parent was asked, with the changes.
    package let debate: CreateDebateRequest

    /// Members of `changes` that may stand beside it as well.
    private static let contextName = "modified_context"

    /// Reads a body; an empty one changes nothing.
    ///
    /// `changes` takes every field of a create; so does the body itself, whose fields win.
    /// - Throws: `ValidationFailure`.
    package static func parse(_ bytes: [UInt8], parent: DebateSpec) throws(ValidationFailure) -> ForkRequest {
        let body = try RequestBody.object(bytes)
        var fields = RequestFields(body, nestedIn: [])
        let branchPoint = fields.int("branch_point", 0...DebateSpec.roundsRange.upperBound) ?? 0
        let changes = fields.object("changes")?.object ?? JSONObject()
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        var request = SpecRequest.object(of: parent)
        SpecRequest.change(&request, by: changes)
        SpecRequest.change(&request, by: body)
        if let context = body[contextName], !context.isNull { request["context"] = context }
        return ForkRequest(branchPoint: branchPoint, debate: try CreateDebateRequest.parse(.object(request)))
    }
}

/// `POST /debates/{id}/followup`: a debate about what another one left open.
package struct FollowUpRequest: Sendable, Equatable {
    /// Which of the suggestions; nil for the first.
    package let crux: String?
    /// A question in the client's own words instead.
    package let question: String?
    package let context: String?
    private let body: JSONObject

    /// - Throws: `ValidationFailure`.
    package static func parse(_ bytes: [UInt8]) throws(ValidationFailure) -> FollowUpRequest {
        let body = try RequestBody.object(bytes)
        var fields = RequestFields(body, nestedIn: [])
        // The official client says one, the original server reads the other.
        let crux = (fields.string("crux_id") ?? fields.string("cruxId"))?.text
        let question = (fields.string("question") ?? fields.string("task"))?.text
        let context = fields.string("context")?.text
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return FollowUpRequest(crux: crux, question: question, context: context, body: body)
    }

    /// The debate with the parent's panel and rules.
    /// - Parameter background: what the panel should know of the parent.
    package func debate(
        question: String, background: String, parent: DebateSpec
    ) throws(ValidationFailure) -> CreateDebateRequest {
        var request = SpecRequest.object(of: parent)
        SpecRequest.change(&request, by: body)
        request["task"] = .string(question)
        request["question"] = nil
        let texts = [background, context ?? ""].filter { !$0.isEmpty }
        request["context"] = .string(texts.joined(separator: "\n\n"))
        return try CreateDebateRequest.parse(.object(request))
    }
}

/// A body that may be left out.
private enum RequestBody {
    static func object(_ bytes: [UInt8]) throws(ValidationFailure) -> JSONObject {
        guard !bytes.isEmpty else { return JSONObject() }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, maximumBytes: CreateDebateRequest.maximumBytes)
        } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        return object
    }
}

/// A specification as the request that would ask for it.
private enum SpecRequest {
    static let names = ["task", "question", "topic"]
    /// What a fork takes of a create, at any level.
    static let changeable =
        names + [
            "context", "rounds", "agents", "consensus", "threshold", "consensus_threshold", "judge_selection",
            "adaptive",
            "debate_format", "timeout_seconds", "budget_limit_usd", "metadata", "webhook_url", "webhook_headers",
            "webhook_secret",
        ]

    static func object(of spec: DebateSpec) -> JSONObject {
        var request = JSONObject([
            ("task", .string(spec.topic)), ("context", .optional(spec.context)), ("rounds", .int(Int64(spec.rounds))),
            ("agents", .array(spec.agents.map(agent))), ("consensus", .string(spec.consensus.rawValue)),
            ("judge_selection", .string(spec.judge.rawValue)), ("adaptive", .bool(spec.isAdaptive)),
            ("debate_format", .string(spec.format.rawValue)), ("timeout_seconds", .int(Int64(spec.timeoutSeconds))),
        ])
        if spec.consensus.thresholdRange != nil { request["threshold"] = .ratio(spec.threshold) }
        if let budget = spec.budget { request["budget_limit_usd"] = .double(Double(budget.amount) / 1e6) }
        return request
    }

    private static func agent(_ agent: AgentSpec) -> JSONValue {
        [
            "name": .string(agent.name), "provider": .string(agent.provider.rawValue), "model": .string(agent.model),
            "role": .string(agent.role.rawValue), "persona": .optional(agent.persona),
        ]
    }

    /// What depends on something that is changed goes with it.
    static func change(_ request: inout JSONObject, by changes: JSONObject) {
        for nested in ["protocol", "config"] {
            if let object = changes[nested]?.object { change(&request, by: object) }
        }
        if names.contains(where: { changes[$0]?.isNull == false }) { for name in names { request[name] = nil } }
        if changes["consensus"]?.isNull == false { request["threshold"] = nil }
        if changes["consensus_threshold"]?.isNull == false { request["threshold"] = nil }
        if changes["debate_format"]?.isNull == false { request["rounds"] = nil }
        for key in changeable {
            if let value = changes[key], !value.isNull { request[key] = value }
        }
    }
}

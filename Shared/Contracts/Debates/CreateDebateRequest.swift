package import Domain

/// What a client asks for with `POST /api/v1/debates`: every form of contract §1.1, valid by construction but for the
/// panel, which depends on the providers that are configured.
///
/// Any field may also sit in `config` or `protocol`; the top level wins, then `config`. Fields that we do not know, and
/// those that the original lists and nobody needs (`documents`, `template`, `enable_…`), are ignored.
package struct CreateDebateRequest: Sendable, Equatable {
    /// Without white space around it.
    package let topic: String
    package let context: String?
    /// The agents asked for, in order; empty when the installation is to choose.
    package let agents: [AgentWish]
    package let rounds: Int
    package let consensus: ConsensusMode
    package let timeoutSeconds: Int
    package let budget: MicroUSD?
    /// Stored and given back; at most ``maximumMetadataBytes``.
    package let metadata: JSONObject

    /// The largest body, in bytes.
    package static let maximumBytes = 1 << 20
    /// The largest metadata, in bytes of canonical JSON.
    package static let maximumMetadataBytes = 16 * 1024
    /// The largest budget of one debate, in US dollars.
    package static let maximumBudgetUSD = 100_000.0

    /// Reads a body.
    /// - Throws: `ValidationFailure` with every problem; the field `body` when it is no JSON object at all.
    package static func parse(_ bytes: [UInt8]) throws(ValidationFailure) -> CreateDebateRequest {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, maximumBytes: maximumBytes)
        } catch {
            throw ValidationFailure([FieldProblem("body", "is not valid JSON: \(error)")])
        }
        return try parse(value)
    }

    /// Reads a body that was parsed already, or one item of a batch.
    package static func parse(_ value: JSONValue) throws(ValidationFailure) -> CreateDebateRequest {
        guard let object = value.object else {
            throw ValidationFailure([FieldProblem("body", "must be an object, not \(value.typeName)")])
        }
        var fields = RequestFields(object, nestedIn: ["config", "protocol"])
        let request = CreateDebateRequest(
            topic: topic(&fields), context: context(&fields), agents: AgentWish.list(&fields), rounds: rounds(&fields),
            consensus: consensus(&fields), timeoutSeconds: timeoutSeconds(&fields), budget: budget(&fields),
            metadata: metadata(&fields))
        _ = fields.bool("auto_select")
        _ = fields.object("auto_select_config")
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return request
    }

    /// The debate with the panel that was settled on.
    package func spec(panel: [AgentSpec]) throws(ValidationFailure) -> DebateSpec {
        try DebateSpec(
            topic: topic, context: context, agents: panel, rounds: rounds, consensus: consensus,
            timeoutSeconds: timeoutSeconds, budget: budget)
    }
}

extension CreateDebateRequest {
    private static func topic(_ fields: inout RequestFields) -> String {
        let names = ["question", "task", "topic"]
        let given = fields.level(havingAnyOf: names)
        var texts: [String] = []
        for (field, value) in given {
            guard let text = value.string else {
                fields.refuse(field, "must be a string, not \(value.typeName)")
                continue
            }
            texts.append(text.trimmed)
        }
        guard let (field, _) = given.first else {
            fields.refuse("question", "is required (also accepted: task, topic)")
            return ""
        }
        guard let text = texts.first else { return "" }
        if texts.contains(where: { !isSameKey($0, text) }) {
            fields.refuse(field, "question, task and topic must not differ; send one of them")
        }
        fields.checkLength(field, text, DebateSpec.topicCharacters)
        return text
    }

    private static func context(_ fields: inout RequestFields) -> String? {
        guard let (field, text) = fields.string("context") else { return nil }
        fields.checkLength(field, text, 0...DebateSpec.contextCharacters)
        return text.isEmpty ? nil : text
    }

    private static func rounds(_ fields: inout RequestFields) -> Int {
        let format = fields.choice("debate_format", of: ["light", "full"], unsupported: [])
        let standard = format == "light" ? 1 : DebateSpec.defaultRounds
        return fields.int("rounds", DebateSpec.roundsRange) ?? standard
    }

    private static func consensus(_ fields: inout RequestFields) -> ConsensusMode {
        let later = ["judge", "supermajority", "weighted", "hybrid", "any", "none", "byzantine", "semantic"]
        let mode = fields.choice("consensus", of: ConsensusMode.allCases.map(\.rawValue), unsupported: later)
        return mode.flatMap(ConsensusMode.init(rawValue:)) ?? .majority
    }

    private static func timeoutSeconds(_ fields: inout RequestFields) -> Int {
        fields.int("timeout_seconds", DebateSpec.timeoutSecondsRange) ?? DebateSpec.defaultTimeoutSeconds
    }

    private static func budget(_ fields: inout RequestFields) -> MicroUSD? {
        guard let (field, value) = fields.value("budget_limit_usd") else { return nil }
        guard let dollars = value.double else {
            fields.refuse(field, "must be a number, not \(value.typeName)")
            return nil
        }
        guard dollars >= 0.000001, dollars <= maximumBudgetUSD else {
            fields.refuse(field, "must be greater than 0 and at most 100000")
            return nil
        }
        return MicroUSD(Int64((dollars * 1_000_000).rounded()))
    }

    private static func metadata(_ fields: inout RequestFields) -> JSONObject {
        guard let (field, object) = fields.object("metadata") else { return JSONObject() }
        if CanonicalJSON.encode(object).count > maximumMetadataBytes {
            fields.refuse(field, "must have at most \(maximumMetadataBytes) bytes")
        }
        return object
    }
}

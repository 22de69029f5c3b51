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
    package let format: DebateFormat
    package let consensus: ConsensusMode
    /// Nil for the mode's own.
    package let threshold: Ratio?
    package let judge: JudgeSelection
    package let isAdaptive: Bool
    /// False: no earlier conclusion is shown to the panel, and this one's is not kept.
    package let usesKnowledge: Bool
    package let timeoutSeconds: Int
    package let budget: MicroUSD?
    /// Stored and given back; at most ``maximumMetadataBytes``.
    package let metadata: JSONObject
    /// How many are chosen when no agents are named.
    package let selection: PanelSelection
    /// Who is told of the end; nil when nobody asked.
    package let callback: CallbackWish?

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
        let format = format(&fields)
        let consensus = consensus(&fields)
        let request = CreateDebateRequest(
            topic: topic(&fields), context: context(&fields), agents: AgentWish.list(&fields),
            rounds: rounds(&fields, format), format: format ?? .light, consensus: consensus,
            threshold: threshold(&fields, consensus), judge: judge(&fields),
            isAdaptive: fields.bool("adaptive") ?? false, usesKnowledge: fields.bool("knowledge") ?? true,
            timeoutSeconds: timeoutSeconds(&fields),
            budget: budget(&fields),
            metadata: metadata(&fields), selection: PanelSelection.read(&fields), callback: CallbackWish.read(&fields))
        guard fields.problems.isEmpty else { throw ValidationFailure(fields.problems) }
        return request
    }

    /// The debate with the panel that was settled on.
    /// - Parameters:
    ///   - seed: what chance in it is drawn from.
    ///   - hasKnowledge: false when the installation keeps none.
    package func spec(
        panel: [AgentSpec], seed: Int64 = 0, hasKnowledge: Bool = true
    ) throws(ValidationFailure) -> DebateSpec {
        try DebateSpec(
            topic: topic, context: context, agents: panel, rounds: rounds, format: format, consensus: consensus,
            threshold: threshold, judge: judge, isAdaptive: isAdaptive, usesKnowledge: usesKnowledge && hasKnowledge,
            seed: seed, timeoutSeconds: timeoutSeconds,
            budget: budget)
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

    private static func format(_ fields: inout RequestFields) -> DebateFormat? {
        fields.choice("debate_format", of: DebateFormat.allCases.map(\.rawValue), unsupported: [])
            .flatMap(DebateFormat.init(rawValue:))
    }

    /// Nobody who names a format and no number wants three rounds of it: one that is light, every way of thinking once.
    private static func rounds(_ fields: inout RequestFields, _ format: DebateFormat?) -> Int {
        let standard =
            switch format {
            case .light: 1
            case .full: DebateFormat.fullRounds
            case nil: DebateSpec.defaultRounds
            }
        return fields.int("rounds", DebateSpec.roundsRange) ?? standard
    }

    private static func consensus(_ fields: inout RequestFields) -> ConsensusMode {
        let mode = fields.choice(
            "consensus", of: ConsensusMode.allCases.map(\.rawValue), unsupported: ["byzantine", "semantic"])
        return mode.flatMap(ConsensusMode.init(rawValue:)) ?? .majority
    }

    private static func threshold(_ fields: inout RequestFields, _ mode: ConsensusMode) -> Ratio? {
        guard let (field, value) = fields.value("threshold") ?? fields.value("consensus_threshold") else { return nil }
        guard let number = value.double else {
            fields.refuse(field, "must be a number, not \(value.typeName)")
            return nil
        }
        let wish = Ratio(number)
        guard let range = mode.thresholdRange else {
            if wish != mode.standardThreshold { fields.refuse(field, "consensus \(mode.rawValue) has none to choose") }
            return nil
        }
        if !range.contains(wish) {
            fields.refuse(
                field, "must be from \(range.lowerBound.value) to \(range.upperBound.value) for \(mode.rawValue)")
        }
        return wish
    }

    private static func judge(_ fields: inout RequestFields) -> JudgeSelection {
        fields.choice("judge_selection", of: JudgeSelection.allCases.map(\.rawValue), unsupported: ["calibrated"])
            .flatMap(JudgeSelection.init(rawValue:)) ?? .random
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

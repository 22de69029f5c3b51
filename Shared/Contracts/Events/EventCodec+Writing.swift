package import Domain

/// Fields of each kind of event. `round` and `round_number` are the same: clients disagree on the name.
extension EventCodec {
    static func roundFields(_ round: Int) -> [(String, JSONValue)] {
        [("round", .int(Int64(round))), ("round_number", .int(Int64(round)))]
    }

    static func callFields(_ call: CallReference) -> [(String, JSONValue)] {
        [("call_key", .string(call.key.text)), ("attempt", .int(Int64(call.attempt)))]
    }

    private static func usageFields(_ usage: Usage) -> [(String, JSONValue)] {
        [
            ("input_tokens", .int(Int64(usage.inputTokens))), ("output_tokens", .int(Int64(usage.outputTokens))),
            ("cost_micro_usd", .int(usage.cost.amount)),
        ] + (usage.isPriceAssumed ? [("price_assumed", true)] : [])
    }

    static func fields(of start: DebateStart) -> JSONObject {
        var object = JSONObject(
            SpecCodec.fields(of: start.spec) + [
                ("agents", .strings(start.spec.agents.map(\.name))), ("total_rounds", .int(Int64(start.spec.rounds))),
                ("engine_version", .int(Int64(start.engineVersion.number))), ("demo", .bool(start.spec.usesDemoAgents)),
            ])
        if let branch = start.branch { object.append("branch", json(of: branch)) }
        return object
    }

    /// What holds the history of both together: the parent's newest event that is shared, by its hash.
    private static func json(of branch: Branch) -> JSONValue {
        [
            "parent_debate_id": .string(branch.parent.text), "branch_point": .int(Int64(branch.round)),
            "parent_seq": .int(branch.tail.seq),
            "parent_hash": .string(String(decoding: HexText.encode(branch.tail.hash), as: UTF8.self)),
        ]
    }

    /// A message for the next round, as the first engine's logs have it, says no more.
    static func fields(of remark: Remark, by author: String) -> JSONObject {
        var object = JSONObject([
            ("author", .string(author)), ("content", .string(remark.content)), ("role", "user"),
        ])
        if remark.kind != .message { object.append("kind", .string(remark.kind.rawValue)) }
        if let round = remark.firstRound { object.append("apply_at_round", .int(Int64(round))) }
        return object
    }

    static func fields(of statement: Statement, phase: DebatePhase) -> JSONObject {
        JSONObject(
            roundFields(statement.round) + callFields(statement.call) + usageFields(statement.usage) + [
                ("agent", .string(statement.agent)), ("provider", .string(statement.provider.rawValue)),
                ("model", .string(statement.model)), ("role", .string(statement.role.rawValue)),
                ("phase", .string(phase.rawValue)), ("content", .string(statement.content)),
                ("truncated", .bool(statement.truncated)), ("confidence", .null),
            ])
    }

    static func fields(of revision: Statement, original: String) -> JSONObject {
        var object = fields(of: revision, phase: .revise)
        object.append("revised", .string(revision.content))
        object.append("original_content", .string(original))
        object.append("original", .string(original))
        return object
    }

    static func fields(of critique: Critique) -> JSONObject {
        JSONObject(
            roundFields(critique.round) + callFields(critique.call) + usageFields(critique.usage) + [
                ("agent", .string(critique.agent)), ("critic", .string(critique.agent)),
                ("target_agent", .string(critique.target)), ("target", .string(critique.target)),
                ("content", .string(critique.content)), ("critique", .string(critique.content)),
                ("score", .ratio(critique.severity)), ("severity", .string(label(of: critique.severity))),
                ("truncated", .bool(critique.truncated)),
            ])
    }

    private static func label(of severity: Ratio) -> String {
        severity < Ratio(0.34) ? "minor" : severity < Ratio(0.67) ? "moderate" : "major"
    }

    static func phaseFields(
        _ from: DebatePhase?, _ to: DebatePhase, _ round: Int, _ mode: CognitiveMode?
    ) -> JSONObject {
        var object = JSONObject(
            roundFields(round) + [("from_phase", .optional(from?.rawValue)), ("to_phase", .string(to.rawValue))])
        if let mode { object.append("mode", .string(mode.rawValue)) }
        return object
    }

    /// What is usual (a choice that is valid, none that is an abstention) is not said again, as in the first engine's logs.
    static func fields(of vote: Vote) -> JSONObject {
        var object = JSONObject(
            roundFields(vote.round) + callFields(vote.call) + usageFields(vote.usage) + [
                ("agent", .string(vote.agent)), ("choice", .optional(vote.choice)), ("vote", .optional(vote.choice)),
                ("reasoning", .string(vote.reasoning)), ("confidence", .ratio(vote.confidence)),
                ("continue_debate", .bool(vote.continueDebate)),
            ])
        if vote.standing == .malformed { object.append("standing", .string(vote.standing.rawValue)) }
        return object
    }

    static func fields(of synthesis: Synthesis) -> JSONObject {
        JSONObject(
            roundFields(synthesis.round) + callFields(synthesis.call) + usageFields(synthesis.usage) + [
                ("agent", .string(synthesis.agent)), ("provider", .string(synthesis.provider.rawValue)),
                ("model", .string(synthesis.model)), ("content", .string(synthesis.content)),
                ("synthesis", .string(synthesis.content)), ("confidence", .ratio(synthesis.confidence)),
                ("dissent", .optional(synthesis.dissent)), ("truncated", .bool(synthesis.truncated)),
            ])
    }

    static func fields(of failure: AgentFailure) -> JSONObject {
        JSONObject(
            roundFields(failure.round) + callFields(failure.call) + [
                ("agent", .string(failure.agent)), ("provider", .string(failure.provider.rawValue)),
                ("phase", .string(failure.phase.rawValue)), ("code", .string(failure.kind.rawValue)),
                ("message", .string(failure.message)), ("error", .string(failure.message)),
            ])
    }

    /// `original_agent` and `fallback_agent` are what the official clients read: a provider and a model each.
    static func fields(of fallback: AgentFallback) -> JSONObject {
        JSONObject(
            roundFields(fallback.round) + callFields(fallback.call) + [
                ("agent", .string(fallback.agent)), ("provider", .string(fallback.provider.rawValue)),
                ("model", .string(fallback.model)),
                ("fallback_provider", .string(fallback.fallbackProvider.rawValue)),
                ("fallback_model", .string(fallback.fallbackModel)),
                ("original_agent", .string("\(fallback.provider.rawValue)/\(fallback.model)")),
                ("fallback_agent", .string("\(fallback.fallbackProvider.rawValue)/\(fallback.fallbackModel)")),
                ("reason", .string(fallback.reason.rawValue)), ("message", .string(fallback.reason.sentence)),
            ])
    }

    static func fields(of termination: EarlyTermination) -> JSONObject {
        JSONObject(
            roundFields(termination.round) + [
                ("round_num", .int(Int64(termination.round))), ("total_rounds", .int(Int64(termination.totalRounds))),
                ("source", .string(termination.source.rawValue)), ("measure", .ratio(termination.measure)),
                ("rounds_saved", .int(Int64(termination.totalRounds - termination.round))),
            ]
                + (termination.refusedBy.map { [("refused_by", .string($0.text)), ("message", .string($0.sentence))] }
                    ?? []))
    }

    static func fields(of alert: BudgetAlert) -> JSONObject {
        JSONObject([
            ("alert_id", .int(alert.number)), ("budget_id", .string(alert.budget.text)), ("name", .string(alert.name)),
            ("threshold_percent", .int(Int64(alert.threshold))), ("spent_micro_usd", .int(alert.spent.amount)),
            ("limit_micro_usd", .int(alert.limit.amount)),
        ])
    }

    static func fields(of result: ConsensusResult) -> JSONObject {
        var object = JSONObject(
            roundFields(result.round) + [
                ("mode", .string(result.mode.rawValue)), ("method", .string(result.mode.rawValue)),
                ("threshold", .ratio(result.threshold)), ("reached", .bool(result.reached)),
                ("winner", .optional(result.winner)), ("result", .string(result.finalAnswer)),
                ("answer", .string(result.finalAnswer)), ("agreement", .ratio(result.agreement)),
                ("confidence", .ratio(result.confidence)), ("supporting_agents", .strings(result.supporting)),
                ("dissenting_agents", .strings(result.dissenting.map(\.agent))),
                ("dissenting_views", .array(result.dissenting.map(json(of:)))),
                ("convergence_status", .string(result.convergence.state.rawValue)),
                ("convergence_similarity", .ratio(result.convergence.similarity)),
                (
                    "consensus",
                    [
                        "reached": .bool(result.reached), "agreement": .ratio(result.agreement),
                        "confidence": .ratio(result.confidence),
                    ]
                ),
            ])
        appendDetails(of: result, to: &object)
        return object
    }

    /// What there is nothing to say about is left out, as in the first engine's logs.
    private static func appendDetails(of result: ConsensusResult, to object: inout JSONObject) {
        if !result.abstained.isEmpty { object.append("abstained", .strings(result.abstained)) }
        if !result.malformed.isEmpty { object.append("malformed_votes", .strings(result.malformed)) }
        if !result.merged.isEmpty {
            object.append("merged_choices", .array(result.merged.map { ["agents": .strings($0)] }))
        }
        if let judgement = result.judgement {
            object.append(
                "judgement", ["judge": .optional(judgement.judge), "dissent": .optional(judgement.dissent)])
        }
        guard !result.convergence.agents.isEmpty else { return }
        object.append(
            "per_agent_similarity",
            .array(
                result.convergence.agents.map { agent in
                    [
                        "agent": .string(agent.name), "status": .string(agent.state.rawValue),
                        "similarity": .ratio(agent.similarity),
                    ]
                }))
    }

    static func json(of dissent: ConsensusResult.Dissent) -> JSONValue {
        [
            "agent": .string(dissent.agent), "choice": .optional(dissent.choice),
            "reasoning": .string(dissent.reasoning),
        ]
    }

    static func fields(of receipt: ReceiptSummary) -> JSONObject {
        JSONObject([
            ("receipt_id", .string(receipt.id.text)), ("verdict", .string(receipt.verdict.rawValue)),
            ("confidence", .ratio(receipt.confidence)), ("checksum", .string(receipt.checksum)),
            ("risk_level", .string(receipt.verdict.riskLevel)),
        ])
    }

    static func fields(of end: DebateEnd) -> JSONObject {
        var object = JSONObject([
            ("status", .string(end.status.rawValue)), ("reason", .optional(end.reason)),
            ("result", .optional(end.result)),
            ("total_rounds", .int(Int64(end.totalRounds))), ("rounds", .int(Int64(end.roundsUsed))),
            ("rounds_used", .int(Int64(end.roundsUsed))), ("consensus_reached", .bool(end.consensusReached)),
            ("confidence", .ratio(end.confidence)), ("duration_seconds", .ratio(end.duration)),
            ("duration", .ratio(end.duration)), ("cost_micro_usd", .int(end.cost.amount)),
        ])
        if let insight = end.insight { object.append("insight", InsightCodec.json(of: insight)) }
        return object
    }
}

extension JSONValue {
    /// The decimal number, exact to its four places.
    package static func ratio(_ ratio: Ratio) -> JSONValue {
        ratio.tenThousandths.isMultiple(of: 10_000) ? .int(ratio.tenThousandths / 10_000) : .double(ratio.value)
    }
}

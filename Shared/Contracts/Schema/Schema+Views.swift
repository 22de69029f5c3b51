import Domain

/// A debate seen from several sides.
extension Schema {
    private static let agentReport = object([
        "name": .text, "provider": .provider, "model": .text, "role": .text, "persona": text.orNull,
        "status": word(["ok", "failed"]), "rounds_participated": .count, "proposals": .count, "critiques": .count,
        "votes": .count, "error": text.orNull, "error_kind": text.orNull,
    ]).named("AgentReport")

    private static func list(_ name: String, of item: Schema) -> Schema {
        page(name, of: item).and(["debate_id": .debateID])
    }

    package static let rounds = list(
        "rounds",
        of: object([
            "round": .count, "round_number": .count, "proposals": .count, "revisions": .count, "critiques": .count,
            "votes": .count, "mean_severity": share.orNull,
        ]).named("Round")
    ).and(["total_rounds": .count]).named("Rounds")

    package static let votes = list("votes", of: vote).and(["sealed_votes": list(vote)]).named("Votes")

    package static let debateAgents = list("agents", of: agentReport).named("DebateAgents")

    package static let positions = list(
        "positions",
        of: object([
            "agent": .text, "changes": .count,
            "positions": list(
                object(["round": .count, "kind": word(["proposal", "revision"]), "content": .text, "seq": .count])),
        ]).named("Positions")
    ).named("PositionPage")

    package static let impasse = object([
        "debate_id": .debateID, "is_impasse": .boolean,
        "indicators": object([
            "repeated_critiques": .boolean, "no_convergence": .boolean, "high_severity_critiques": .boolean,
        ]),
    ]).named("Impasse")

    package static let diagnostics = object([
        "debate_id": .debateID, "status": .debateStatus, "reason": text.orNull, "duration_seconds": amount.orNull,
        "agents": list(agentReport),
        "consensus": object([
            "reached": .boolean, "method": .consensusMode, "confidence": share.orNull, "agreement": share.orNull,
            "abstained": .agentNames, "malformed": .agentNames,
        ]),
        "fallbacks": list(
            object([
                "agent": .text, "round": .count, "provider": .provider, "fallback_provider": .provider, "reason": .text,
            ])),
        "abandoned_calls": .count, "remarks": .count, "receipt_generated": .boolean, "receipt_id": receiptID.orNull,
        "suggestions": list(.text),
    ]).named("Diagnostics")

    package static let summary = object([
        "debate_id": .debateID, "status": .debateStatus, "title": .text, "task": .text, "one_liner": .text,
        "key_points": list(.text), "disagreements": list(dissent), "final_answer": text.orNull,
        "consensus_reached": .boolean,
        "consensus_strength": word(["none", "weak", "medium", "strong", "unanimous"]), "confidence": share.orNull,
        "agreement": share.orNull, "rounds_used": .count, "duration_seconds": amount.orNull, "insight": text.orNull,
    ]).named("Summary")

    package static let explanation = object([
        "debate_id": .debateID, "status": .debateStatus, "narrative": .text,
        "factors": list(object(["name": .text, "value": .number, "description": .text])), "votes": list(vote),
        "provenance": list(object(["seq": .count, "kind": .text, "agent": text.orNull, "round": .count])),
        "insight": insight.orNull,
    ]).named("Explanation")

    package static let insight = object([
        "sealed_choice": text.orNull, "sealed_share": .share, "changed_decision": .boolean,
        "mind_changes": list(
            object(["agent": .text, "from": .text, "to": .text, "round": .count, "toward_majority": .boolean])),
        "herding_index": .number, "effective_voters": .amount, "surviving_minorities": .agentNames, "calls": .count,
        "cost_micro_usd": .count, "baseline_calls": .count, "baseline_cost_micro_usd": .count, "sentence": .text,
    ]).named("Insight")
}

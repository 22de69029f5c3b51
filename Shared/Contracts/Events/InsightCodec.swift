package import Domain

/// "Did debating help?" as JSON: in `debate_end`, in the API and in receipts.
package enum InsightCodec {
    package static func json(of insight: DebateInsight) -> JSONValue {
        [
            "sealed_choice": .optional(insight.sealedChoice), "sealed_share": .ratio(insight.sealedShare),
            "changed_decision": .bool(insight.changedDecision),
            "mind_changes": .array(insight.mindChanges.map(json(of:))), "herding_index": .ratio(insight.herding),
            "effective_voters": .ratio(insight.effectiveVoters),
            "surviving_minorities": .strings(insight.survivingMinorities), "calls": .int(Int64(insight.effort.calls)),
            "cost_micro_usd": .int(insight.effort.cost.amount), "baseline_calls": .int(Int64(insight.baseline.calls)),
            "baseline_cost_micro_usd": .int(insight.baseline.cost.amount), "sentence": .string(insight.sentence),
        ]
    }

    private static func json(of change: DebateInsight.MindChange) -> JSONValue {
        [
            "agent": .string(change.agent), "from": .string(change.from), "to": .string(change.to),
            "round": .int(Int64(change.round)), "toward_majority": .bool(change.towardMajority),
        ]
    }
}

extension EventFields {
    /// Nil in logs that do not tell.
    func insight() throws(ContractError) -> DebateInsight? {
        guard object["insight"]?.object != nil else { return nil }
        let fields = try nested("insight")
        var changes: [DebateInsight.MindChange] = []
        for change in try fields.objects("mind_changes") {
            changes.append(
                .init(
                    agent: try change.text("agent"), from: try change.text("from"), to: try change.text("to"),
                    round: try change.int("round"), towardMajority: try change.bool("toward_majority")))
        }
        return DebateInsight(
            sealedChoice: try fields.optionalText("sealed_choice"), sealedShare: try fields.ratio("sealed_share"),
            changedDecision: try fields.bool("changed_decision"), mindChanges: changes,
            herding: try fields.ratio("herding_index"), effectiveVoters: try fields.ratio("effective_voters"),
            survivingMinorities: try fields.texts("surviving_minorities"),
            effort: .init(calls: try fields.int("calls"), cost: try fields.money("cost_micro_usd")),
            baseline: .init(calls: try fields.int("baseline_calls"), cost: try fields.money("baseline_cost_micro_usd")))
    }
}

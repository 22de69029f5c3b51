package import Domain

/// One debate seen from several sides: what is asked of it beside its messages and its decision.
package enum DebateViews {
    /// `GET …/rounds`.
    package static func rounds(_ id: DebateID, _ story: DebateStory) -> JSONValue {
        let rows = story.rounds.map { round -> JSONValue in
            let said = story.positions.filter { $0.statement.round == round }
            return [
                "round": .int(Int64(round)), "round_number": .int(Int64(round)),
                "proposals": .int(Int64(said.count { $0.kind == "proposal" })),
                "revisions": .int(Int64(said.count { $0.kind == "revision" })),
                "critiques": .int(Int64(story.critiques.count { $0.round == round })),
                "votes": .int(Int64(story.votes.count { $0.round == round })),
                "mean_severity": .optional(story.severity(of: round)),
            ]
        }
        return list("rounds", rows, id, [("total_rounds", .int(Int64(story.totalRounds)))])
    }

    /// `GET …/votes`.
    package static func votes(_ id: DebateID, _ story: DebateStory) -> JSONValue {
        list(
            "votes", story.votes.map(DebateAnswers.vote), id,
            [("sealed_votes", .array(story.sealedVotes.map(DebateAnswers.vote)))])
    }

    /// `GET …/agents`.
    package static func agents(_ id: DebateID, _ story: DebateStory) -> JSONValue {
        list("agents", story.agents.map { agent(story, $0) }, id)
    }

    /// `GET …/positions`: how each agent's position changed.
    package static func positions(_ id: DebateID, _ story: DebateStory) -> JSONValue {
        let rows = story.agents.map { agent -> JSONValue in
            let own = story.positions(of: agent.name)
            return [
                "agent": .string(agent.name), "changes": .int(Int64(max(0, own.count - 1))),
                "positions": .array(
                    own.map { position in
                        [
                            "round": .int(Int64(position.statement.round)), "kind": .string(position.kind),
                            "content": .string(position.statement.content), "seq": .int(position.seq),
                        ]
                    }),
            ]
        }
        return list("positions", rows, id)
    }

    /// `GET …/impasse`: whether the debate goes nowhere, and what says so.
    package static func impasse(_ id: DebateID, _ story: DebateStory) -> JSONValue {
        let last = story.critiques.map(\.round).max() ?? 0
        let pairs = { (round: Int) in
            Set(
                story.critiques.filter { $0.round == round && $0.severity >= Ratio(0.5) }.map { [$0.agent, $0.target] })
        }
        let repeated = last > 1 && !pairs(last).isDisjoint(with: pairs(last - 1))
        let severe = (story.severity(of: last) ?? .zero) >= Ratio(0.7)
        let apart = story.decision.map { !$0.reached && $0.convergence.state != .converged } ?? false
        return [
            "debate_id": .string(id.text),
            "is_impasse": .bool(apart && (repeated || severe || story.end != nil)),
            "indicators": [
                "repeated_critiques": .bool(repeated), "no_convergence": .bool(apart),
                "high_severity_critiques": .bool(severe),
            ],
        ]
    }

    /// `GET …/diagnostics`: who answered, who did not, and what to do about it.
    package static func diagnostics(_ body: DebateBody, _ story: DebateStory) -> JSONValue {
        [
            "debate_id": .string(body.id.text), "status": .string(body.status.clientText),
            "reason": .optional(body.reason), "duration_seconds": .optional(body.duration),
            "agents": .array(story.agents.map { agent(story, $0) }),
            "consensus": [
                "reached": .bool(story.decision?.reached ?? false), "method": .string(body.consensus.rawValue),
                "confidence": .optional(story.decision?.confidence), "agreement": .optional(story.decision?.agreement),
                "abstained": .strings(story.decision?.abstained ?? []),
                "malformed": .strings(story.decision?.malformed ?? []),
            ],
            "fallbacks": .array(
                story.fallbacks.map { fallback in
                    [
                        "agent": .string(fallback.agent), "round": .int(Int64(fallback.round)),
                        "provider": .string(fallback.provider.rawValue),
                        "fallback_provider": .string(fallback.fallbackProvider.rawValue),
                        "reason": .string(fallback.reason.rawValue),
                    ]
                }),
            "abandoned_calls": .int(Int64(story.abandoned)), "remarks": .int(Int64(story.remarks)),
            "receipt_generated": .bool(story.receipt != nil), "receipt_id": .optional(story.receipt?.id.text),
            "suggestions": .strings(suggestions(body, story)),
        ]
    }

    private static func agent(_ story: DebateStory, _ agent: AgentSpec) -> JSONValue {
        let failure = story.failures.first { $0.agent == agent.name }
        let own = story.positions(of: agent.name)
        return [
            "name": .string(agent.name), "provider": .string(agent.provider.rawValue), "model": .string(agent.model),
            "role": .string(agent.role.rawValue), "persona": .optional(agent.persona),
            "status": .string(failure == nil ? "ok" : "failed"),
            "rounds_participated": .int(Int64(story.roundsOf(agent.name))), "proposals": .int(Int64(own.count)),
            "critiques": .int(Int64(story.critiques.count { $0.agent == agent.name })),
            "votes": .int(Int64(story.votes.count { $0.agent == agent.name })),
            "error": .optional(failure?.message), "error_kind": .optional(failure?.kind.rawValue),
        ]
    }

    private static func suggestions(_ body: DebateBody, _ story: DebateStory) -> [String] {
        var suggestions: [String] = []
        for failure in story.failures {
            suggestions.append("\(failure.agent) (\(failure.provider.rawValue)) failed: \(failure.kind.rawValue)")
        }
        if body.status == .timeout { suggestions.append("give it more time with timeout_seconds, or fewer rounds") }
        if let decision = story.decision, !decision.reached {
            suggestions.append(
                "no consensus at a threshold of \(decision.threshold.value): more rounds, or another consensus mode")
        }
        if !(story.decision?.malformed ?? []).isEmpty {
            suggestions.append("some votes could not be read: a larger model follows the form better")
        }
        if body.isDemo { suggestions.append("answered by demonstration agents: set a provider's key for real answers") }
        return suggestions
    }

    private static func list(
        _ name: String, _ rows: [JSONValue], _ id: DebateID, _ more: [(String, JSONValue)] = []
    ) -> JSONValue {
        PageBody.make(
            name, items: rows, total: rows.count, limit: rows.count, offset: 0,
            extra: [("debate_id", .string(id.text))] + more)
    }
}

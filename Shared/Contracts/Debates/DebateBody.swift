package import Domain

/// A debate as the API shows it: the same members running or finished, null where there is nothing yet (contract §1.2).
package struct DebateBody: Sendable {
    package var id: DebateID
    package var slug: String
    package var topic: String
    /// What people call it; nil for its question.
    package var title: String?
    package var tags: [String] = []
    package var isArchived = false
    package var context: String?
    package var status: DebateStatus
    /// Names, in the panel's order.
    package var agents: [String]
    package var rounds: Int
    package var consensus: ConsensusMode
    package var createdAt: Timestamp
    package var completedAt: Timestamp?
    package var roundsUsed = 0
    package var duration: Ratio?
    /// One sentence for every end but `completed`.
    package var reason: String?
    package var finalAnswer: String?
    package var consensusReached = false
    package var confidence: Ratio?
    package var agreement: Ratio?
    package var winner: String?
    package var supporting: [String] = []
    package var dissenting: [String] = []
    package var isDemo = false
    /// The debate it branched off, and how many rounds they share.
    package var parent: DebateID?
    package var branchPoint: Int?
    /// Its texts were taken away; shown only then.
    package var isErased = false
    /// Its events are gone, their retention has passed; shown only then.
    package var isExpired = false
    package var cost: MicroUSD = .zero
    /// Canonical JSON of an object, as it was stored.
    package var metadata: [UInt8] = Array("{}".utf8)
    /// Earlier conclusions that the panel was shown; left out of the body when there is none.
    package var knowledge: [KnowledgeUse] = []
    /// Agents that failed, with what they failed at; never what a provider said of it.
    package var failures: [AgentFailure] = []
    /// Whether debating helped; nil while it goes on.
    package var insight: DebateInsight?
    /// Left out of the body when nil.
    package var messages: [MessageBody]?

    package init(
        id: DebateID, slug: String, topic: String, status: DebateStatus, agents: [String], rounds: Int,
        consensus: ConsensusMode, createdAt: Timestamp
    ) {
        self.id = id
        self.slug = slug
        self.topic = topic
        self.status = status
        self.agents = agents
        self.rounds = rounds
        self.consensus = consensus
        self.createdAt = createdAt
    }

    /// The title, or the question.
    package var shownTitle: String { title ?? topic }

    /// One row of a list.
    package var row: JSONValue {
        .object(
            JSONObject([
                ("id", .string(id.text)), ("debate_id", .string(id.text)), ("slug", .string(slug)),
                ("task", .string(topic)), ("question", .string(topic)), ("topic", .string(topic)),
                ("title", .string(shownTitle)), ("tags", .strings(tags)), ("archived", .bool(isArchived)),
                ("status", .string(status.clientText)), ("agents", .strings(agents)), ("rounds", .int(Int64(rounds))),
                ("rounds_used", .int(Int64(roundsUsed))), ("consensus_reached", .bool(consensusReached)),
                ("confidence", .optional(confidence)), ("agreement", .optional(agreement)),
                ("duration_seconds", .optional(duration)), ("created_at", .string(createdAt.iso8601)),
                ("completed_at", .optional(completedAt?.iso8601)), ("demo", .bool(isDemo)),
                ("parent_id", .optional(parent?.text)), ("branch_point", .optional(branchPoint)), ("view_count", 0),
                ("is_public", false),
            ]))
    }

    /// The whole.
    package var json: JSONValue {
        var object = row.object ?? JSONObject()
        for (key, value) in details { object.append(key, value) }
        if isErased { object.append("erased", true) }
        if isExpired { object.append("events_expired", true) }
        if !knowledge.isEmpty { object.append("knowledge", .array(knowledge.map(EventCodec.json(of:)))) }
        if let messages { object.append("messages", .array(messages.map(\.json))) }
        return .object(object)
    }

    private var details: [(String, JSONValue)] {
        let answer = JSONValue.optional(finalAnswer)
        return [
            ("context", .optional(context)), ("in_progress", .bool(!status.isTerminal)), ("reason", .optional(reason)),
            ("final_answer", answer), ("conclusion", answer), ("winning_proposal", answer), ("outcome", answer),
            ("consensus_mode", .string(consensus.rawValue)),
            (
                "consensus",
                [
                    "mode": .string(consensus.rawValue), "reached": .bool(consensusReached),
                    "agreement": .optional(agreement),
                    "confidence": .optional(confidence), "final_answer": answer, "conclusion": answer,
                    "winner": .optional(winner), "supporting_agents": .strings(supporting),
                    "dissenting_agents": .strings(dissenting),
                ]
            ),
            ("agent_failures", agentFailures), ("insight", insight.map(InsightCodec.json(of:)) ?? .null),
            ("winner", .optional(winner)), ("cost_micro_usd", .int(cost.amount)), ("metadata", .encoded(metadata)),
            ("grounded_verdict", .null), ("model_comparison", .null), ("websocket_url", .string(Self.webSocketURL(id))),
        ]
    }

    /// By name; of an agent that failed as a panelist and as a judge, the first.
    private var agentFailures: JSONValue {
        var object = JSONObject()
        for failure in failures where object[failure.agent] == nil {
            object.append(
                failure.agent,
                [
                    "provider": .string(failure.provider.rawValue), "phase": .string(failure.phase.rawValue),
                    "round": .int(Int64(failure.round)), "kind": .string(failure.kind.rawValue),
                    "message": .string(failure.message),
                ])
        }
        return .object(object)
    }

    /// Where the debate can be watched.
    package static func webSocketURL(_ id: DebateID) -> String { "/ws?debate_id=\(id.text)" }
}

extension JSONValue {
    /// The decimal number, or null when there is none.
    package static func optional(_ ratio: Ratio?) -> JSONValue { ratio.map { .ratio($0) } ?? .null }
}

package import Domain

/// The answers of the API about one debate, besides the debate itself.
package enum DebateAnswers {
    /// `POST /api/v1/debates`: 200.
    package static func created(
        id: DebateID, spec: DebateSpec, createdAt: Timestamp, spectate: Bool = false
    ) -> JSONValue {
        var object = JSONObject([
            ("success", true), ("debate_id", .string(id.text)), ("id", .string(id.text)), ("status", "created"),
            ("task", .string(spec.topic)), ("question", .string(spec.topic)),
            ("agents", .strings(spec.agents.map(\.name))),
            ("rounds", .int(Int64(spec.rounds))), ("consensus", .string(spec.consensus.rawValue)),
            ("demo", .bool(spec.usesDemoAgents)), ("websocket_url", .string(DebateBody.webSocketURL(id))),
            ("created_at", .string(createdAt.iso8601)),
        ])
        if spectate { object.append("spectate_url", .string("/spectate/\(id.text)")) }
        return .object(object)
    }

    /// An answer with the secret that callbacks are signed with, which is shown once.
    package static func showing(secret: String?, in answer: [UInt8]) -> [UInt8] {
        guard let secret, var object = try? JSONParser.parse(answer).object else { return answer }
        object["webhook_secret"] = .string(secret)
        return CanonicalJSON.encode(object)
    }

    /// `GET …/consensus`, also before there is one.
    package static func consensus(
        id: DebateID, mode: ConsensusMode, result: ConsensusResult?, votes: [Vote]
    ) -> JSONValue {
        [
            "debate_id": .string(id.text), "reached": .bool(result?.reached ?? false), "mode": .string(mode.rawValue),
            "method": .string(mode.rawValue), "threshold": .ratio(result?.threshold ?? mode.standardThreshold),
            "confidence": .optional(result?.confidence), "agreement": .optional(result?.agreement),
            "winner": .optional(result?.winner), "final_answer": .optional(result?.finalAnswer),
            "round": .optional(result?.round), "supporting_agents": .strings(result?.supporting ?? []),
            "dissenting_agents": .strings((result?.dissenting ?? []).map(\.agent)),
            "dissenting_views": .array((result?.dissenting ?? []).map(EventCodec.json(of:))),
            "votes": .array(votes.map(vote)),
        ]
    }

    /// `GET …/convergence`, also before there is one.
    package static func convergence(id: DebateID, result: ConsensusResult?, roundsUsed: Int) -> JSONValue {
        [
            "debate_id": .string(id.text),
            "convergence_status": .string((result?.convergence.state ?? .unknown).rawValue),
            "convergence_similarity": .ratio(result?.convergence.similarity ?? .zero),
            "consensus_reached": .bool(result?.reached ?? false), "rounds_used": .int(Int64(roundsUsed)),
        ]
    }

    /// `POST …/cancel`, `…/pause`, `…/resume`.
    package static func action(id: DebateID, status: DebateStatus, message: String) -> JSONValue {
        [
            "success": true, "debate_id": .string(id.text), "status": .string(status.clientText),
            "message": .string(message),
        ]
    }

    static func vote(_ vote: Vote) -> JSONValue {
        [
            "agent": .string(vote.agent), "choice": .optional(vote.choice), "reasoning": .string(vote.reasoning),
            "confidence": .ratio(vote.confidence), "round": .int(Int64(vote.round)),
            "continue_debate": .bool(vote.continueDebate),
        ]
    }
}

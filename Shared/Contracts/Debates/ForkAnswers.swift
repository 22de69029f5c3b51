package import Domain

/// The answers about debates that branch off another (contract §1.2).
package enum ForkAnswers {
    /// `POST …/fork`, with what a create answers.
    package static func forked(
        id: DebateID, spec: DebateSpec, createdAt: Timestamp, branch: Branch, messages: Int, context: String?
    ) -> JSONValue {
        answer(
            id, spec, createdAt, branch, messages,
            message: "Shares \(branch.round) rounds of \(branch.parent.text)",
            [("modified_context", .optional(context))])
    }

    /// `POST …/followup`, the same and which question was taken up.
    package static func followed(
        id: DebateID, spec: DebateSpec, createdAt: Timestamp, branch: Branch, messages: Int, crux: String?
    ) -> JSONValue {
        answer(
            id, spec, createdAt, branch, messages, message: "Takes up what \(branch.parent.text) left open",
            [("crux_id", .optional(crux)), ("followup_id", .string(id.text))])
    }

    private static func answer(
        _ id: DebateID, _ spec: DebateSpec, _ createdAt: Timestamp, _ branch: Branch, _ messages: Int, message: String,
        _ more: [(String, JSONValue)]
    ) -> JSONValue {
        var object = DebateAnswers.created(id: id, spec: spec, createdAt: createdAt).object ?? JSONObject()
        let members: [(String, JSONValue)] = [
            ("branch_id", .string(id.text)), ("parent_debate_id", .string(branch.parent.text)),
            ("branch_point", .int(Int64(branch.round))), ("messages_inherited", .int(Int64(messages))),
            ("message", .string(message)),
        ]
        for (key, value) in members + more { object.append(key, value) }
        return .object(object)
    }

    /// A row of `GET …/forks`.
    package static func fork(_ body: DebateBody) -> JSONValue {
        var object = body.row.object ?? JSONObject()
        object.append("branch_id", .string(body.id.text))
        return .object(object)
    }

    /// A row of `GET …/followups`.
    package static func suggestion(_ open: FollowUp) -> JSONValue {
        [
            "id": .string(open.id), "crux_id": .string(open.id), "kind": .string(open.kind.rawValue),
            "agent": .optional(open.agent), "question": .string(open.question), "suggestion": .string(open.question),
            "statement": .string(open.statement),
        ]
    }
}

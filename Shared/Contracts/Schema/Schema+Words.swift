import Domain

/// The small parts that many bodies have.
extension Schema {
    package static let debateID = text(pattern: "^dbt_[0-9a-hjkmnp-tv-z]{26}$")
    package static let receiptID = text(pattern: "^rcp_[0-9a-hjkmnp-tv-z]{26}$")
    /// 64 lower-case hex digits.
    package static let hash = text(pattern: "^[0-9a-f]{64}$")
    package static let agentNames = list(.text)
    package static let provider = word(ProviderKey.allCases.map(\.rawValue))
    package static let consensusMode = word(ConsensusMode.allCases.map(\.rawValue))
    /// What clients read; ours but for `pending`.
    package static let debateStatus = word(DebateStatus.allCases.map(\.clientText))
    package static let verdict = word(Verdict.allCases.map(\.rawValue))
    package static let riskLevel = word(["LOW", "MEDIUM", "HIGH"])

    /// A page of a list: the same array under its own name and under `items`.
    package static func page(_ name: String, of item: Schema) -> Schema {
        Schema.object([:]).and([
            name: list(item), "items": list(item), "total": .count, "count": .count, "limit": .count, "offset": .count,
            "has_more": .boolean,
        ])
    }

    /// The one body of every error answer.
    package static let error = object([
        "error": text.saying("For people."),
        "code": word(ErrorCode.allCases.map(\.rawValue)).saying("For programs: a code may be added, never renamed."),
        "trace_id": text.saying("Finds the lines in the server's log."),
        "errors": list(object(["field": .text, "message": .text]).named("FieldProblem")).optional,
        "suggestion": text.optional,
        "required_permission": text.optional, "required_action": text.optional,
    ]).named("Error")
}

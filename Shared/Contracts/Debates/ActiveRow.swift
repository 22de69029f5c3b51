import Domain

/// A row of `/debates/active`.
package enum ActiveRow {
    /// - Parameter now: milliseconds since 1970.
    package static func json(_ body: DebateBody, now: Int64) -> JSONValue {
        [
            "id": .string(body.id.text), "debate_id": .string(body.id.text), "topic": .string(body.topic),
            "task": .string(body.topic), "status": .string(body.status.clientText),
            "started_at": .string(body.createdAt.iso8601), "agents": .strings(body.agents),
            "round": .int(Int64(body.roundsUsed)), "total_rounds": .int(Int64(body.rounds)),
            "elapsed_seconds": .fraction(Double(max(0, now - body.createdAt.milliseconds)) / 1000),
        ]
    }
}

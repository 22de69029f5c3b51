package import Domain

/// The queue as those who look after it see it.
package enum QueueBody {
    /// One debate that is not over.
    package static func job(
        _ debate: DebateID, topic: String, status: DebateStatus, priority: Int, owner: RunnerID?, epoch: Int64,
        attempts: Int, queuedAt: Timestamp, lastProgressAt: Timestamp, deadline: Timestamp
    ) -> JSONValue {
        [
            "id": .string(debate.text), "job_id": .string(debate.text), "debate_id": .string(debate.text),
            "task": .string(topic), "status": .string(status.clientText), "priority": .int(Int64(priority)),
            "worker_id": .optional(owner?.text), "epoch": .int(epoch), "attempts": .int(Int64(attempts)),
            "queued_at": .string(queuedAt.iso8601), "last_progress_at": .string(lastProgressAt.iso8601),
            "deadline": .string(deadline.iso8601),
        ]
    }

    /// One process that runs debates.
    package static func worker(
        _ id: RunnerID, kind: String, startedAt: Timestamp, expiresAt: Timestamp, capacity: Int, running: Int,
        isLive: Bool
    ) -> JSONValue {
        [
            "worker_id": .string(id.text), "kind": .string(kind), "status": .string(isLive ? "live" : "expired"),
            "capacity": .int(Int64(capacity)), "running": .int(Int64(running)),
            "started_at": .string(startedAt.iso8601), "expires_at": .string(expiresAt.iso8601),
        ]
    }

    /// One job that was given up.
    package static func dead(_ id: String, reason: String, at: Timestamp) -> JSONValue {
        ["job_id": .string(id), "debate_id": .string(id), "reason": .string(reason), "dead_at": .string(at.iso8601)]
    }

    /// One that was asked for again.
    package static func requeued(_ id: String, as debate: DebateID) -> JSONValue {
        ["job_id": .string(id), "debate_id": .string(debate.text)]
    }

    /// One that could not be.
    package static func skipped(_ id: String, reason: String) -> JSONValue {
        ["job_id": .string(id), "reason": .string(reason)]
    }

    package static func requeue(_ requeued: [JSONValue], skipped: [JSONValue]) -> JSONValue {
        [
            "success": true, "count": .int(Int64(requeued.count)), "requeued": .array(requeued),
            "skipped": .array(skipped),
        ]
    }

    /// What a cleanup did.
    package static func cleaned(keys: Int, shares: Int, rows: [(String, Int)]) -> JSONValue {
        [
            "success": true, "idempotency_keys": .int(Int64(keys)), "expired_shares": .int(Int64(shares)),
            "removed": .object(JSONObject(rows.map { ($0.0, .int(Int64($0.1))) })),
        ]
    }
}

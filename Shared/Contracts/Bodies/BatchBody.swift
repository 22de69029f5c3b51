package import Domain

/// Answers about debates that were asked for together.
package enum BatchBody {
    /// One debate of a batch, while it is shown.
    package struct Item: Sendable {
        package let index: Int
        package let debate: DebateBody
        package init(index: Int, debate: DebateBody) {
            self.index = index
            self.debate = debate
        }
    }

    /// How far a batch is.
    package struct Progress: Sendable {
        package let id: BatchID
        package let state: String
        package let total: Int
        package let completed: Int
        package let failed: Int
        package let waiting: Int
        package let ended: Int
        package let createdAt: Timestamp

        package init(
            id: BatchID, state: String, total: Int, completed: Int, failed: Int, waiting: Int, ended: Int,
            createdAt: Timestamp
        ) {
            self.id = id
            self.state = state
            self.total = total
            self.completed = completed
            self.failed = failed
            self.waiting = waiting
            self.ended = ended
            self.createdAt = createdAt
        }
    }

    /// `POST /debates/batch`.
    package static func created(_ id: BatchID, debates: [DebateID], createdAt: Timestamp) -> JSONValue {
        [
            "success": true, "batch_id": .string(id.text), "items_queued": .int(Int64(debates.count)),
            "status_url": .string("/api/v1/debates/batch/\(id.text)/status"), "created_at": .string(createdAt.iso8601),
            "items": .array(
                debates.enumerated().map { ["index": .int(Int64($0)), "debate_id": .string($1.text)] }),
        ]
    }

    /// `GET /debates/batch/{batch}/status`.
    package static func status(_ progress: Progress, items: [Item]) -> JSONValue {
        var object = row(progress).object ?? JSONObject()
        object.append("items", .array(items.map(json)))
        return .object(object)
    }

    /// A row of `GET /debates/batch`.
    package static func row(_ progress: Progress) -> JSONValue {
        let running = progress.total - progress.waiting - progress.ended
        return [
            "batch_id": .string(progress.id.text), "status": .string(progress.state),
            "total": .int(Int64(progress.total)), "completed": .int(Int64(progress.completed)),
            "failed": .int(Int64(progress.failed)), "pending": .int(Int64(progress.waiting)),
            "running": .int(Int64(running)),
            "progress_percent": .ratio(Ratio(100 * progress.ended, of: progress.total)),
            "created_at": .string(progress.createdAt.iso8601),
        ]
    }

    private static func json(_ item: Item) -> JSONValue {
        let debate = item.debate
        return [
            "index": .int(Int64(item.index)), "debate_id": .string(debate.id.text), "task": .string(debate.topic),
            "status": .string(debate.status.clientText), "consensus_reached": .bool(debate.consensusReached),
            "confidence": .optional(debate.confidence), "error": .optional(debate.reason),
        ]
    }
}

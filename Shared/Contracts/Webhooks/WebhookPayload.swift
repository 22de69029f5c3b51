package import Domain

/// The bodies that webhook endpoints are sent (Standard Webhooks: `type`, `timestamp`, `data`).
package enum WebhookPayload {
    /// What the end of a debate is told as.
    package static func notices(
        of debate: DebateID, _ end: DebateEnd, at time: Timestamp, receipt: StoredReceipt?
    ) -> [EndNotice] {
        guard let event = WebhookEvent(endedAs: end.status) else { return [] }
        var notices = [
            notice(
                event, at: time,
                [
                    ("debate_id", .string(debate.text)), ("status", .string(end.status.rawValue)),
                    ("reason", .optional(end.reason)), ("final_answer", .optional(end.result)),
                    ("consensus_reached", .bool(end.consensusReached)), ("confidence", .ratio(end.confidence)),
                    ("rounds_used", .int(Int64(end.roundsUsed))), ("duration_seconds", .ratio(end.duration)),
                    ("cost_micro_usd", .int(end.cost.amount)), ("receipt_id", .optional(receipt?.id.text)),
                ])
        ]
        if let receipt {
            notices.append(
                notice(
                    .receiptCreated, at: time,
                    [
                        ("debate_id", .string(debate.text)), ("receipt_id", .string(receipt.id.text)),
                        ("verdict", .string(receipt.verdict.rawValue)), ("confidence", .ratio(receipt.confidence)),
                        ("checksum", .string(receipt.checksum)),
                    ]))
        }
        return notices
    }

    /// What a test is told as.
    package static func test(of webhook: WebhookID, at time: Timestamp) -> EndNotice {
        notice(.test, at: time, [("webhook_id", .string(webhook.text)), ("message", "This is a test.")])
    }

    private static func notice(
        _ event: WebhookEvent, at time: Timestamp, _ data: [(String, JSONValue)]
    ) -> EndNotice {
        EndNotice(
            event: event,
            body: CanonicalJSON.encode(
                [
                    "type": .string(event.rawValue), "timestamp": .string(time.iso8601),
                    "data": .object(JSONObject(data)),
                ] as JSONValue))
    }
}

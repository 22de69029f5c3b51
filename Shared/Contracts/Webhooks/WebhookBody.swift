package import Domain

/// Webhook endpoints and deliveries as the API shows them.
package enum WebhookBody {
    /// An endpoint. The secret is shown once, when it is made.
    package static func endpoint(
        _ id: WebhookID, url: String, events: [String], about: String?, headers: [String], isActive: Bool,
        createdBy: String, createdAt: Timestamp, updatedAt: Timestamp, secret: String? = nil
    ) -> JSONValue {
        var object = JSONObject([
            ("id", .string(id.text)), ("webhook_id", .string(id.text)), ("url", .string(url)),
            ("events", .strings(events)), ("description", .optional(about)), ("header_names", .strings(headers)),
            ("active", .bool(isActive)), ("is_active", .bool(isActive)), ("created_by", .string(createdBy)),
            ("created_at", .string(createdAt.iso8601)), ("updated_at", .string(updatedAt.iso8601)),
        ])
        if let secret { object.append("secret", .string(secret)) }
        return .object(object)
    }

    /// A message and how it stands.
    /// - Parameter body: what was sent; left out when nil.
    package static func delivery(
        _ message: String, endpoint: WebhookID?, channel: CallbackChannel, event: String, debate: String, url: String,
        attempts: Int,
        state: String, lastStatus: Int?, failure: String?, createdAt: Timestamp, nextAttempt: Timestamp?,
        endedAt: Timestamp?, body: [UInt8]? = nil
    ) -> JSONValue {
        var object = JSONObject([
            ("id", .string(message)), ("message_id", .string(message)), ("webhook_id", .optional(endpoint?.text)),
            ("channel", .string(channel.rawValue)), ("event", .string(event)),
            ("debate_id", debate.isEmpty ? .null : .string(debate)), ("url", .string(url)),
            ("attempts", .int(Int64(attempts))), ("status", .string(state)), ("last_status", .optional(lastStatus)),
            ("error", .optional(failure)), ("created_at", .string(createdAt.iso8601)),
            ("next_attempt_at", .optional(nextAttempt?.iso8601)), ("ended_at", .optional(endedAt?.iso8601)),
        ])
        if let body { object.append("payload", .encoded(body)) }
        return .object(object)
    }

    /// `GET /webhooks/events`.
    package static let events: JSONValue = {
        let rows = WebhookEvent.allCases.map { event -> JSONValue in
            ["name": .string(event.rawValue), "description": .string(event.about)]
        }
        return PageBody.make(
            "events", items: rows, total: rows.count, limit: rows.count, offset: 0,
            extra: [("groups", .strings(WebhookEvent.groups))])
    }()

    /// What was asked for happened.
    package static func done(_ id: String, _ message: String) -> JSONValue {
        ["success": true, "id": .string(id), "message": .string(message)]
    }
}

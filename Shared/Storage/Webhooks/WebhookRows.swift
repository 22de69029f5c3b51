import Domain
import PostgresClient

/// Endpoints and messages as rows.
enum WebhookRows {
    static let endpointColumns =
        "e.id, e.url, e.events, e.about, e.secret, e.headers, e.is_active, e.created_by, e.created_at, e.updated_at"
    static let deliveryColumns = """
        o.id, o.message_id, o.endpoint_id, o.event_type, o.debate_id, o.target, o.body, o.attempts, o.last_status, o.failure, \
        o.created_at, o.next_attempt, coalesce(o.delivered_at, o.dead_at) AS ended_at, \
        CASE WHEN o.delivered_at IS NOT NULL THEN 'delivered' WHEN o.dead_at IS NOT NULL THEN 'dead' ELSE 'pending' END AS state
        """

    static func endpoint(_ row: Row) throws(PGError) -> WebhookEndpoint {
        WebhookEndpoint(
            id: try id(row, "id"), url: try row.text("url"), events: try row.textArray("events"),
            about: try row.optionalText("about"), secret: try row.bytes("secret"), headers: try row.bytes("headers"),
            isActive: try row.bool("is_active"), createdBy: try row.text("created_by"),
            createdAt: try row.timestamp("created_at"), updatedAt: try row.timestamp("updated_at"))
    }

    static func delivery(_ row: Row) throws(PGError) -> WebhookDelivery {
        WebhookDelivery(
            id: try row.int64("id"), message: try row.text("message_id"), endpoint: try id(row, "endpoint_id"),
            event: try row.text("event_type"), debate: try row.text("debate_id"), url: try row.text("target"),
            body: try row.bytes("body"), attempts: try row.int("attempts"), state: try row.member("state"),
            lastStatus: try row.optionalInt64("last_status").map { Int($0) }, failure: try row.optionalText("failure"),
            createdAt: try row.timestamp("created_at"), nextAttempt: try row.timestamp("next_attempt"),
            endedAt: try row.optionalTimestamp("ended_at"))
    }

    private static func id(_ row: Row, _ column: String) throws(PGError) -> WebhookID {
        guard let id = WebhookID(try row.text(column)) else { throw PGError(.decoding, "\(column) is no webhook id") }
        return id
    }

    /// A row for every endpoint of the debate's organization that wants to know; part of the transaction that ends it.
    static func tell(_ notices: [EndNotice], of debate: DebateID) -> SQL {
        let wanted = notices.flatMap { notice in notice.event.subscriptions.map { (notice.event.rawValue, $0) } }
        return """
            INSERT INTO webhook_outbox (debate_id, org_id, endpoint_id, event_type, target, body, message_id)
            SELECT r.debate_id, e.org_id, e.id, n.type, e.url, n.body,
                   'msg_' || left(encode(sha256(convert_to(concat_ws(' ', r.debate_id, n.type, e.id), 'UTF8')), 'hex'), 32)
            FROM debate_runs r JOIN webhook_endpoints e ON e.org_id = coalesce(r.org_id, 'org_default') AND e.is_active
            CROSS JOIN unnest(\(notices.map(\.event.rawValue)), \(notices.map(\.body))) AS n (type, body)
            WHERE r.debate_id = \(debate) AND EXISTS (
                SELECT FROM unnest(\(wanted.map(\.0)), \(wanted.map(\.1))) AS w (type, subscription)
                WHERE w.type = n.type AND w.subscription = ANY (e.events))
            ON CONFLICT (message_id) DO NOTHING
            """
    }
}

import Domain
import PostgresClient

/// Endpoints and messages as rows.
enum WebhookRows {
    static let endpointColumns =
        "e.id, e.url, e.events, e.about, e.secret, e.headers, e.is_active, e.created_by, e.created_at, e.updated_at"
    static let deliveryColumns = """
        o.id, o.message_id, o.endpoint_id, o.callback, o.event_type, o.debate_id, o.target, o.body, o.attempts, o.last_status, o.failure, \
        o.created_at, o.next_attempt, coalesce(o.delivered_at, o.dead_at) AS ended_at, \
        CASE WHEN o.delivered_at IS NOT NULL THEN 'delivered' WHEN o.dead_at IS NOT NULL THEN 'dead' ELSE 'pending' END AS state
        """

    static func endpoint(_ row: Row) throws(PGError) -> WebhookEndpoint {
        WebhookEndpoint(
            id: try id(row), url: try row.text("url"), events: try row.textArray("events"),
            about: try row.optionalText("about"), secret: try row.bytes("secret"), headers: try row.bytes("headers"),
            isActive: try row.bool("is_active"), createdBy: try row.text("created_by"),
            createdAt: try row.timestamp("created_at"), updatedAt: try row.timestamp("updated_at"))
    }

    static func delivery(_ row: Row) throws(PGError) -> WebhookDelivery {
        WebhookDelivery(
            id: try row.int64("id"), message: try row.text("message_id"),
            endpoint: try row.optionalText("endpoint_id").flatMap(WebhookID.init),
            channel: try row.optionalText("callback").flatMap(CallbackChannel.init) ?? .webhook,
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

    private static func id(_ row: Row) throws(PGError) -> WebhookID {
        guard let id = WebhookID(try row.text("id")) else { throw PGError(.decoding, "id is no webhook id") }
        return id
    }

    static func claimed(_ row: Row) throws(PGError) -> ClaimedDelivery {
        let delivery = try delivery(row)
        guard let endpoint = delivery.endpoint else {
            return ClaimedDelivery(delivery: delivery, recipient: .callback(address: try row.optionalBytes("address")))
        }
        return ClaimedDelivery(
            delivery: delivery,
            recipient: .endpoint(endpoint, secret: try row.bytes("secret"), headers: try row.bytes("headers")))
    }

    /// A row for every endpoint of the debate's organization that wants to know, and one for each callback of the debate
    /// itself; part of the transaction that ends it.
    static func tell(_ notices: [EndNotice], of debate: DebateID) -> SQL {
        let wanted = notices.flatMap { notice in notice.event.subscriptions.map { (notice.event.rawValue, $0) } }
        return """
            INSERT INTO webhook_outbox (debate_id, org_id, endpoint_id, callback, event_type, target, body, message_id)
            SELECT debate_id, org_id, endpoint_id, callback, type, target, body,
                   'msg_' || left(encode(sha256(convert_to(concat_ws(' ', debate_id, type, receiver), 'UTF8')), 'hex'), 32)
            FROM (
                SELECT r.debate_id, e.org_id, e.id, NULL, n.type, e.url, n.body, e.id
                FROM debate_runs r
                JOIN webhook_endpoints e ON e.org_id = coalesce(r.org_id, 'org_default') AND e.is_active
                CROSS JOIN unnest(\(notices.map(\.event.rawValue)), \(notices.map(\.body))) AS n (type, body)
                WHERE r.debate_id = \(debate) AND EXISTS (
                    SELECT FROM unnest(\(wanted.map(\.0)), \(wanted.map(\.1))) AS w (type, subscription)
                    WHERE w.type = n.type AND w.subscription = ANY (e.events))
                UNION ALL
                SELECT c.debate_id, c.org_id, NULL, c.channel, n.type, c.target, n.body, 'callback ' || c.channel
                FROM debate_callbacks c
                CROSS JOIN unnest(\(ends(notices).map(\.event.rawValue)), \(ends(notices).map(\.body))) AS n (type, body)
                WHERE c.debate_id = \(debate)
            ) AS t (debate_id, org_id, endpoint_id, callback, type, target, body, receiver)
            ON CONFLICT (message_id) DO NOTHING
            """
    }

    /// Who asked for a debate hears of its end; the receipt's id stands in it.
    private static func ends(_ notices: [EndNotice]) -> [EndNotice] { notices.filter(\.event.isEnd) }

    /// The parts of a create that keep who wants to hear of its end, and send what goes before it.
    static func callbacks(_ callbacks: [DebateCallback], of organization: String?) -> SQL {
        guard !callbacks.isEmpty else { return "" }
        let openings = callbacks.filter { $0.opening != nil }
        return """
            , callback AS (
                INSERT INTO debate_callbacks (debate_id, channel, org_id, target, address)
                SELECT run.debate_id, c.channel, coalesce(\(organization), 'org_default'), c.target, c.address
                FROM run CROSS JOIN unnest(
                    \(callbacks.map(\.channel.rawValue)), \(callbacks.map(\.target)), \(callbacks.map(\.address))
                ) AS c (channel, target, address)
                RETURNING debate_id, channel, org_id, target
            ), opening AS (
                INSERT INTO webhook_outbox (debate_id, org_id, callback, event_type, target, body, message_id)
                SELECT c.debate_id, c.org_id, c.channel, \(DebateCallback.openingType), c.target, o.body,
                       'msg_' || left(encode(sha256(convert_to(
                           concat_ws(' ', c.debate_id, \(DebateCallback.openingType), c.channel), 'UTF8')), 'hex'), 32)
                FROM callback c JOIN unnest(
                    \(openings.map(\.channel.rawValue)), \(openings.compactMap(\.opening))) AS o (channel, body)
                    ON o.channel = c.channel
            )
            """
    }
}

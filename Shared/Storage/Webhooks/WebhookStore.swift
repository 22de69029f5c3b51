package import Domain
package import PostgresClient

/// Webhook endpoints of organizations, and what was sent to them.
package struct WebhookStore: Sendable {
    package static let limitRange = 1...100
    /// Endpoints of one organization.
    package static let maxEndpoints = 100

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    // MARK: Endpoints

    /// - Returns: false when the organization has as many as it may.
    /// - Throws: ``StorageError``.
    package func add(
        _ endpoint: WebhookEndpoint, to organization: OrganizationID, _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Bool {
        try await run("add") {
            try await AuditLog.execute(
                """
                INSERT INTO webhook_endpoints (id, org_id, url, events, about, secret, headers, is_active, created_by,
                                               created_at, updated_at)
                SELECT \(endpoint.id.text), \(organization.text), \(endpoint.url), \(endpoint.events), \(endpoint.about),
                       \(endpoint.secret), \(endpoint.headers), \(endpoint.isActive), \(endpoint.createdBy),
                       \(endpoint.createdAt), \(endpoint.updatedAt)
                WHERE (SELECT count(*) FROM webhook_endpoints WHERE org_id = \(organization.text)) < \(Self.maxEndpoints)
                """, telling: entry, on: pool) > 0
        }
    }

    /// - Returns: false when it is not there.
    /// - Throws: ``StorageError``.
    package func change(
        _ endpoint: WebhookEndpoint, of organization: OrganizationID, _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Bool {
        try await run("change") {
            try await AuditLog.execute(
                """
                UPDATE webhook_endpoints
                SET url = \(endpoint.url), events = \(endpoint.events), about = \(endpoint.about),
                    secret = \(endpoint.secret), headers = \(endpoint.headers), is_active = \(endpoint.isActive),
                    updated_at = \(endpoint.updatedAt)
                WHERE id = \(endpoint.id.text) AND org_id = \(organization.text)
                """, telling: entry, on: pool) > 0
        }
    }

    /// Takes it away, with what was not delivered to it.
    /// - Throws: ``StorageError``.
    package func remove(
        _ id: WebhookID, of organization: OrganizationID, _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Bool {
        try await run("remove") {
            try await AuditLog.execute(
                "DELETE FROM webhook_endpoints WHERE id = \(id.text) AND org_id = \(organization.text)",
                telling: entry, on: pool) > 0
        }
    }

    /// - Throws: ``StorageError``.
    package func endpoint(_ id: WebhookID, of organization: OrganizationID) async throws(StorageError)
        -> WebhookEndpoint?
    {
        try await run("get") {
            try await pool.query(
                """
                SELECT \(raw: WebhookRows.endpointColumns) FROM webhook_endpoints e
                WHERE e.id = \(id.text) AND e.org_id = \(organization.text)
                """
            ).first.map(WebhookRows.endpoint)
        }
    }

    /// Newest first.
    /// - Throws: ``StorageError``.
    package func endpoints(
        of organization: OrganizationID, activeOnly: Bool, limit: Int, offset: Int
    ) async throws(StorageError) -> Page<WebhookEndpoint> {
        let condition: SQL = "e.org_id = \(organization.text) AND (e.is_active OR NOT \(activeOnly))"
        return try await run("list") {
            let answers = try await pool.batch([
                "SELECT count(*) AS total FROM webhook_endpoints e WHERE \(condition)",
                """
                SELECT \(raw: WebhookRows.endpointColumns) FROM webhook_endpoints e WHERE \(condition)
                ORDER BY e.created_at DESC, e.id DESC LIMIT \(limit) OFFSET \(offset)
                """,
            ])
            return Page(
                items: try answers[1].rows.map(WebhookRows.endpoint),
                total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }

    // MARK: Messages

    /// Puts a message of its own into the outbox, for a test.
    /// - Throws: ``StorageError``.
    package func send(
        _ notice: EndNotice, to endpoint: WebhookEndpoint, message: String, of organization: OrganizationID
    )
        async throws(StorageError)
    {
        try await run("send") {
            _ = try await pool.execute(
                """
                INSERT INTO webhook_outbox (debate_id, org_id, endpoint_id, event_type, target, body, message_id)
                VALUES ('', \(organization.text), \(endpoint.id.text), \(notice.event.rawValue), \(endpoint.url),
                        \(notice.body), \(message))
                """)
        }
    }

    /// Puts an answer into the outbox that belongs to no debate, or is not its end.
    /// - Parameters:
    ///   - address: sealed for ``DebateCallback/purpose(replying:)``.
    ///   - message: the same for every attempt; a second one of it is left out.
    /// - Throws: ``StorageError``.
    package func reply(
        _ body: [UInt8], type: String, to callback: DebateCallback, message: String, of organization: OrganizationID
    ) async throws(StorageError) {
        try await run("reply") {
            _ = try await pool.execute(
                """
                INSERT INTO webhook_outbox (debate_id, org_id, callback, event_type, target, body, message_id, address)
                VALUES ('', \(organization.text), \(callback.channel.rawValue), \(type), \(callback.target), \(body),
                        \(message), \(callback.address))
                ON CONFLICT (message_id) DO NOTHING
                """)
        }
    }

    /// Those given up, newest first.
    /// - Throws: ``StorageError``.
    package func dead(of organization: OrganizationID, limit: Int, offset: Int) async throws(StorageError) -> Page<
        WebhookDelivery
    > {
        try await deliveries("o.org_id = \(organization.text) AND o.dead_at IS NOT NULL", limit, offset)
    }

    /// Those to one endpoint, newest first.
    /// - Throws: ``StorageError``.
    package func deliveries(
        to endpoint: WebhookID, of organization: OrganizationID, limit: Int, offset: Int
    ) async throws(StorageError) -> Page<WebhookDelivery> {
        try await deliveries("o.org_id = \(organization.text) AND o.endpoint_id = \(endpoint.text)", limit, offset)
    }

    private func deliveries(_ condition: SQL, _ limit: Int, _ offset: Int) async throws(StorageError) -> Page<
        WebhookDelivery
    > {
        try await run("deliveries") {
            let answers = try await pool.batch([
                "SELECT count(*) AS total FROM webhook_outbox o WHERE \(condition)",
                """
                SELECT \(raw: WebhookRows.deliveryColumns) FROM webhook_outbox o WHERE \(condition)
                ORDER BY o.id DESC LIMIT \(limit) OFFSET \(offset)
                """,
            ])
            return Page(
                items: try answers[1].rows.map(WebhookRows.delivery),
                total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }

    /// One that was given up.
    /// - Throws: ``StorageError``.
    package func dead(_ message: String, of organization: OrganizationID) async throws(StorageError) -> WebhookDelivery?
    {
        try await run("dead letter") {
            try await pool.query(
                """
                SELECT \(raw: WebhookRows.deliveryColumns) FROM webhook_outbox o
                WHERE o.message_id = \(message) AND o.org_id = \(organization.text) AND o.dead_at IS NOT NULL
                """
            ).first.map(WebhookRows.delivery)
        }
    }

    /// Sends one that was given up again, to where the endpoint is now, with all its attempts before it.
    /// - Returns: false when there is none.
    /// - Throws: ``StorageError``.
    package func revive(
        _ message: String, of organization: OrganizationID, _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Bool {
        try await run("revive") {
            try await AuditLog.execute(
                """
                UPDATE webhook_outbox o
                SET dead_at = NULL, attempts = 0, next_attempt = now(), failure = NULL,
                    target = coalesce((SELECT e.url FROM webhook_endpoints e WHERE e.id = o.endpoint_id), o.target)
                WHERE o.message_id = \(message) AND o.org_id = \(organization.text) AND o.dead_at IS NOT NULL
                """, telling: entry, on: pool) > 0
        }
    }

    // MARK: For who delivers

    /// Takes messages that are due, for `lease`: whoever dies meanwhile leaves them to the next.
    /// - Throws: ``StorageError``.
    package func claim(limit: Int, lease: Duration) async throws(StorageError) -> [ClaimedDelivery] {
        try await run("claim") {
            try await pool.query(
                """
                WITH due AS (
                    SELECT id FROM webhook_outbox w
                    WHERE delivered_at IS NULL AND dead_at IS NULL AND next_attempt <= now()
                      -- Who asked hears of the beginning before the end.
                      AND (callback IS NULL OR NOT EXISTS (
                          SELECT FROM webhook_outbox earlier
                          WHERE earlier.debate_id = w.debate_id AND earlier.callback = w.callback AND earlier.id < w.id
                            AND earlier.delivered_at IS NULL AND earlier.dead_at IS NULL))
                    ORDER BY next_attempt LIMIT \(limit) FOR UPDATE SKIP LOCKED
                ), o AS (
                    UPDATE webhook_outbox w
                    SET attempts = attempts + 1,
                        next_attempt = now() + \(Int(lease / .seconds(1))) * interval '1 second'
                    FROM due WHERE w.id = due.id RETURNING w.*
                )
                SELECT \(raw: WebhookRows.deliveryColumns), e.secret, e.headers, coalesce(o.address, c.address) AS address
                FROM o LEFT JOIN webhook_endpoints e ON e.id = o.endpoint_id
                LEFT JOIN debate_callbacks c ON c.debate_id = o.debate_id AND c.channel = o.callback
                """
            ).map(WebhookRows.claimed)
        }
    }

    /// What became of an attempt.
    package enum Outcome: Sendable, Equatable {
        case delivered
        case again(after: Duration, reason: String)
        case dead(reason: String)
    }

    /// Notes it, unless another attempt began meanwhile.
    /// - Throws: ``StorageError``.
    package func settle(_ delivery: WebhookDelivery, status: Int?, _ outcome: Outcome) async throws(StorageError) {
        let change: SQL =
            switch outcome {
            case .delivered: "delivered_at = now(), failure = NULL"
            case .again(let delay, let reason):
                "next_attempt = now() + \(Int(delay / .milliseconds(1))) * interval '1 millisecond', failure = \(reason)"
            case .dead(let reason): "dead_at = now(), failure = \(reason)"
            }
        try await run("settle") {
            _ = try await pool.execute(
                """
                UPDATE webhook_outbox SET last_status = \(status), \(change)
                WHERE id = \(delivery.id) AND attempts = \(delivery.attempts) AND delivered_at IS NULL AND dead_at IS NULL
                """)
        }
    }

    /// Keeps what was learned of where a callback goes; sealed.
    /// - Throws: ``StorageError``.
    package func keep(address: [UInt8], of delivery: WebhookDelivery) async throws(StorageError) {
        try await run("keep address") {
            _ = try await pool.execute(
                """
                UPDATE debate_callbacks SET address = \(address)
                WHERE debate_id = \(delivery.debate) AND channel = \(delivery.channel.rawValue)
                """)
        }
    }

    /// Switches an endpoint off that says it is gone for good.
    /// - Throws: ``StorageError``.
    package func switchOff(_ id: WebhookID) async throws(StorageError) {
        try await run("switch off") {
            _ = try await pool.execute(
                "UPDATE webhook_endpoints SET is_active = false, updated_at = now() WHERE id = \(id.text)")
        }
    }

    private func run<Value>(_ what: String, _ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, "webhooks: \(what)") }
    }
}

package import PostgresClient

/// Removes rows whose time is over; one process of the installation at a time.
package struct ExpiredRows: Sendable {
    /// What is removed; a closed set: it is a metric label.
    package enum Kind: String, Sendable, CaseIterable {
        case idempotencyKeys = "idempotency_keys"
        case debateShares = "debate_shares"
        case receiptShares = "receipt_shares"
        case sessions
        case revokedTokens = "revoked_tokens"
        case passwordResets = "password_resets"
        case signOnAttempts = "sign_on_attempts"
        case loginFailures = "login_failures"
        case messages = "webhook_messages"
        case callbacks

        /// The table, and which of its rows are over.
        var over: (table: String, condition: String) {
            switch self {
            case .idempotencyKeys: ("idempotency_keys", "created_at < now() - interval '1 day'")
            case .debateShares: ("debate_shares", "expires_at < now() - interval '1 day'")
            case .receiptShares: ("receipt_shares", "expires_at < now() - interval '1 day'")
            // Shown for a month after they ended.
            case .sessions: ("sessions", "expires_at < now() - interval '30 days'")
            // Every replica has heard of them, and what they ended is over.
            case .revokedTokens: ("revoked_tokens", "expires_at < now() - interval '1 hour'")
            case .passwordResets: ("password_resets", "expires_at < now()")
            case .signOnAttempts: ("sign_on_attempts", "expires_at < now()")
            case .loginFailures: ("login_failures", "last_at < now() - interval '1 day'")
            case .messages:
                (
                    "webhook_outbox",
                    "delivered_at < now() - interval '7 days' OR dead_at < now() - interval '30 days'"
                )
            case .callbacks:
                (
                    "debate_callbacks",
                    """
                    EXISTS (SELECT FROM debates d WHERE d.id = debate_id AND d.completed_at < now() - interval '30 days')
                    """
                )
            }
        }
    }

    /// Rows of one statement.
    package static let batch = 1000
    /// Statements of one kind in one pass; what is left waits for the next.
    package static let batches = 10

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// One pass.
    /// - Returns: how many of each kind; nil when another process is at it.
    /// - Throws: ``StorageError``.
    package func remove() async throws(StorageError) -> [Kind: Int]? {
        do {
            return try await pool.withTransaction { transaction in
                let taken = try await transaction.query(
                    """
                    SELECT pg_try_advisory_xact_lock(hashtextextended('aragora expired rows of ' || current_schema(), 0)) AS taken
                    """)
                guard try taken.first?.bool("taken") == true else { return nil }
                var removed: [Kind: Int] = [:]
                for kind in Kind.allCases { removed[kind] = try await remove(kind, in: transaction) }
                return removed
            }
        } catch { throw StorageError.wrap(error, "expired rows") }
    }

    private func remove(_ kind: Kind, in transaction: PGTransaction) async throws -> Int {
        let (table, condition) = kind.over
        var all = 0
        for _ in 0..<Self.batches {
            let count = try await transaction.execute(
                """
                DELETE FROM \(raw: table) WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM \(raw: table) WHERE \(raw: condition) LIMIT \(Self.batch) FOR UPDATE SKIP LOCKED))
                """)
            all += Int(count)
            if count < Self.batch { break }
        }
        return all
    }
}

package import Domain
package import PostgresClient

/// Debates that were asked for together.
package struct BatchStore: Sendable {
    /// Debates of one batch.
    package static let maxItems = 1000

    private let pool: PGPool
    private let resender: Resender

    package init(pool: PGPool, resend: ResendPolicy = ResendPolicy()) {
        self.pool = pool
        resender = Resender(pool: pool, policy: resend)
    }

    /// Creates all debates of a batch, or none.
    ///
    /// - Parameters:
    ///   - debates: each without an idempotency key of its own.
    ///   - idempotency: of the batch as a whole.
    /// - Throws: ``StorageError``; after `.unavailable` the batch may exist: the same call finds out.
    package func create(
        _ batch: NewBatch, _ debates: [NewDebate], idempotency: IdempotentRequest?
    ) async throws(StorageError) -> CreateOutcome {
        do {
            return try await resender.run { attempt in
                do {
                    return try await insert(batch, debates, idempotency)
                } catch let error as PGError where error.sqlState == .uniqueViolation {
                    // The id is random, so a batch that has it already is ours, from a send whose answer was lost.
                    if error.constraint == "batches_pkey", attempt > 1 { return .created }
                    if error.constraint == "debates_slug_key" { return .slugTaken }
                    throw error
                } catch let error as PGError where error.sqlState == .lockNotAvailable {
                    return .busy
                }
            }
        } catch { throw StorageError.wrap(error, "batch") }
    }

    private func insert(
        _ batch: NewBatch, _ debates: [NewDebate], _ idempotency: IdempotentRequest?
    ) async throws -> CreateOutcome {
        try await pool.withTransaction { transaction in
            if let idempotency, let first = debates.first {
                let answers = try await transaction.queryPipelined([
                    "SELECT set_config('lock_timeout', \(String(DebateStore.idempotencyWaitMilliseconds)), true)",
                    DebateStore.claim(idempotency, first.id),
                ])
                guard answers[1].first != nil else {
                    return try await DebateStore.stored(idempotency, in: transaction)
                }
            }
            var statements: [SQL] = [
                """
                INSERT INTO batches (id, created_by, org_id, created_at)
                VALUES (\(batch.id.text), \(batch.createdBy), \(batch.organization), \(batch.createdAt))
                """
            ]
            statements += debates.map { DebateStore.statement($0, unless: nil) }
            statements.append(
                """
                INSERT INTO batch_items (batch_id, idx, debate_id)
                SELECT \(batch.id.text), ordinality - 1, debate_id
                FROM unnest(\(debates.map(\.id.text))) WITH ORDINALITY AS listed (debate_id, ordinality)
                """)
            _ = try await transaction.queryPipelined(statements)
            return .created
        }
    }

    /// - Throws: ``StorageError``.
    package func batch(_ id: BatchID, within reach: Reach) async throws(StorageError) -> BatchRecord? {
        do {
            let answers = try await pool.batch([
                "SELECT \(raw: Self.columns) FROM \(raw: Self.tables) WHERE b.id = \(id.text) AND \(reach.condition(on: "b.org_id")) GROUP BY b.id",
                """
                SELECT i.idx, \(raw: DebateRows.summaryColumns)
                FROM batch_items i JOIN debates d ON d.id = i.debate_id JOIN debate_runs r ON r.debate_id = d.id
                WHERE i.batch_id = \(id.text) ORDER BY i.idx
                """,
            ])
            guard let row = answers[0].rows.first else { return nil }
            let items = try answers[1].rows.map {
                BatchRecord.Item(index: try $0.int("idx"), debate: try DebateRows.summary($0))
            }
            return BatchRecord(summary: try Self.summary(row), items: items)
        } catch { throw StorageError.wrap(error, "batch") }
    }

    /// Newest first.
    /// - Parameter state: only these; nil for all.
    /// - Throws: ``StorageError``.
    package func list(
        within reach: Reach, state: BatchSummary.State?, limit: Int, offset: Int
    ) async throws(StorageError) -> Page<BatchSummary> {
        let own = reach.condition(on: "b.org_id")
        let wanted: SQL = state.map { "state = \($0.rawValue)" } ?? "true"
        let all: SQL = """
            SELECT *, CASE WHEN ended = total AND succeeded = 0 THEN 'failed' WHEN ended = total AND failed > 0 THEN 'partial'
                WHEN ended = total THEN 'completed' WHEN waiting = total THEN 'pending' ELSE 'processing' END AS state
            FROM (SELECT \(raw: Self.columns) FROM \(raw: Self.tables) WHERE \(own) GROUP BY b.id) counted
            """
        do {
            let answers = try await pool.batch([
                "SELECT count(*) AS total FROM (\(all)) listed WHERE \(wanted)",
                """
                SELECT * FROM (\(all)) listed WHERE \(wanted) ORDER BY created_at DESC, id DESC
                LIMIT \(limit) OFFSET \(max(0, offset))
                """,
            ])
            return Page(
                items: try answers[1].rows.map(Self.summary), total: try answers[0].rows.first?.int("total") ?? 0)
        } catch { throw StorageError.wrap(error, "batches") }
    }

    private static let tables =
        "batches b JOIN batch_items i ON i.batch_id = b.id JOIN debate_runs r ON r.debate_id = i.debate_id"
    private static let columns = """
        b.id, b.created_by, b.org_id, b.created_at, count(*) AS total,
        count(*) FILTER (WHERE r.status = 'queued') AS waiting,
        count(*) FILTER (WHERE r.status = 'completed') AS succeeded,
        count(*) FILTER (WHERE r.status IN ('failed', 'cancelled', 'timeout')) AS failed,
        count(*) FILTER (WHERE r.status IN \(SQLFragments.terminal)) AS ended
        """

    private static func summary(_ row: Row) throws(PGError) -> BatchSummary {
        guard let id = BatchID(try row.text("id")) else { throw PGError(.decoding, "id is no batch id") }
        return BatchSummary(
            id: id, createdBy: try row.text("created_by"), organization: try row.optionalText("org_id"),
            createdAt: try row.timestamp("created_at"), total: try row.int("total"), waiting: try row.int("waiting"),
            succeeded: try row.int("succeeded"), failed: try row.int("failed"), ended: try row.int("ended"))
    }
}

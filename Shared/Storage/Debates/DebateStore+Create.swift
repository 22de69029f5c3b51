import Domain
import PostgresClient

extension DebateStore {
    /// How long a create waits for another one with the same key.
    package static let idempotencyWaitMilliseconds = 2000

    /// Creates a debate, its run, event 1 and the idempotency key, all or none.
    ///
    /// - Throws: ``StorageError``; after `.unavailable` the debate may exist: the same call finds out.
    package func create(_ debate: NewDebate) async throws(StorageError) -> CreateOutcome {
        do {
            return try await resender.run { attempt in
                do {
                    return try await insert(debate)
                } catch let error as PGError where error.sqlState == .uniqueViolation {
                    return try Self.explain(error, isFirst: attempt == 1)
                } catch let error as PGError where error.sqlState == .lockNotAvailable {
                    return .busy
                }
            }
        } catch {
            throw StorageError.wrap(error, "create")
        }
    }

    /// What a create with this key and this request was answered; nil when there was none.
    package func answer(to request: IdempotentRequest) async throws(StorageError) -> StoredAnswer? {
        do {
            let rows = try await pool.query(
                """
                SELECT status, body FROM idempotency_keys
                WHERE principal = \(request.principal) AND key = \(request.key) AND request_hash = \(request.requestHash)
                """)
            return try rows.first.map { StoredAnswer(status: try $0.int("status"), body: try $0.bytes("body")) }
        } catch {
            throw StorageError.wrap(error, "stored answer")
        }
    }

    /// The id is random, so a debate that has it already is ours, from a send whose answer was lost.
    private static func explain(_ error: PGError, isFirst: Bool) throws -> CreateOutcome {
        switch error.constraint {
        case "debates_slug_key": return .slugTaken
        case "debates_pkey" where !isFirst: return .created
        default: throw error
        }
    }

    private func insert(_ debate: NewDebate) async throws -> CreateOutcome {
        guard let request = debate.idempotency else {
            _ = try await pool.query(Self.statement(debate, unless: nil))
            return .created
        }
        // A connection of its own: it may wait for another create, and others must not wait behind it.
        return try await pool.withTransaction { transaction in
            let answers = try await transaction.queryPipelined([
                "SELECT set_config('lock_timeout', \(String(Self.idempotencyWaitMilliseconds)), true)",
                Self.statement(debate, unless: request),
            ])
            if try answers[1].first?.int("created") == 1 { return .created }
            return try await Self.stored(request, in: transaction)
        }
    }

    /// The key was taken by a create that has committed by now, so a new statement sees its answer.
    static func stored(_ request: IdempotentRequest, in transaction: PGTransaction) async throws
        -> CreateOutcome
    {
        let rows = try await transaction.query(
            """
            SELECT request_hash, status, body FROM idempotency_keys
            WHERE principal = \(request.principal) AND key = \(request.key)
            """)
        guard let row = rows.first else { return .busy }
        guard try row.bytes("request_hash") == request.requestHash else { return .conflict }
        return .replayed(StoredAnswer(status: try row.int("status"), body: try row.bytes("body")))
    }

    static func statement(_ debate: NewDebate, unless request: IdempotentRequest?) -> SQL {
        let (spec, events) = (debate.spec, [debate.start] + debate.recalled.map(\.event))
        let last = events[events.count - 1]
        return """
            WITH key AS (\(claim(request, debate.id))), debate AS (
                INSERT INTO debates (id, slug, topic, context, spec, agents, providers, rounds, consensus, timeout_seconds,
                                     demo, metadata, created_by, org_id, user_id, created_at, parent_id,
                                     branch_point)
                SELECT \(debate.id), \(debate.slug), \(spec.topic), \(spec.context), \(debate.specDocument),
                       \(spec.agents.map(\.name)), \(Set(spec.agents.map(\.provider.rawValue)).sorted()), \(spec.rounds),
                       \(spec.consensus.rawValue), \(spec.timeoutSeconds), \(spec.usesDemoAgents),
                       \(String(decoding: debate.metadata, as: UTF8.self))::jsonb, \(debate.createdBy),
                       \(debate.organization), \(debate.user), \(debate.createdAt), \(debate.branch?.parent.text), \(debate.branch?.round)
                FROM key RETURNING id, org_id, created_at
            ), run AS (
                INSERT INTO debate_runs (debate_id, org_id, priority, engine_version, last_seq, last_hash, deadline,
                                         created_at, queued_at, last_progress_at, traceparent)
                SELECT id, org_id, \(debate.priority), \(debate.engineVersion.number), \(last.seq),
                       \(last.hash), now() + \(spec.timeoutSeconds) * interval '1 second', created_at, now(), now(),
                       \(debate.traceparent)
                FROM debate RETURNING debate_id
            ), event AS (
                INSERT INTO debate_events (debate_id, \(raw: EventRows.columns))
                SELECT run.debate_id, \(raw: EventRows.selected) FROM run CROSS JOIN \(EventRows.table(events))
                RETURNING seq
            )\(recalls(debate.recalled))\(WebhookRows.callbacks(debate.callbacks, of: debate.organization))
            SELECT least(count(*), 1) AS created FROM event
            """
    }

    /// Which item went into which event, so that the event is erased with the item's debate.
    private static func recalls(_ recalled: [NewDebate.Recall]) -> SQL {
        guard !recalled.isEmpty else { return "" }
        return """
            , recall AS (
                INSERT INTO knowledge_recalls (item_id, debate_id, seq)
                SELECT item.id, run.debate_id, item.seq FROM run CROSS JOIN unnest(
                    \(recalled.map(\.item.text)), \(recalled.map(\.event.seq))) AS item (id, seq)
            )
            """
    }

    /// One row when the debate may be inserted; a key that is a day old may be used again.
    static func claim(_ request: IdempotentRequest?, _ debate: DebateID) -> SQL {
        guard let request else { return "SELECT 1" }
        return """
            INSERT INTO idempotency_keys AS k (principal, key, request_hash, debate_id, status, body)
            VALUES (\(request.principal), \(request.key), \(request.requestHash), \(debate), \(request.answer.status),
                    \(request.answer.body))
            ON CONFLICT (principal, key) DO UPDATE SET request_hash = excluded.request_hash, debate_id = excluded.debate_id,
                status = excluded.status, body = excluded.body, created_at = now()
            WHERE k.created_at < now() - interval '1 day'
            RETURNING 1
            """
    }

    /// Removes keys that are a day old, and says how many. Any process may, now and then.
    /// - Throws: ``StorageError``.
    package func purgeIdempotencyKeys() async throws(StorageError) -> Int {
        try await read("purge") {
            try await pool.execute("DELETE FROM idempotency_keys WHERE created_at < now() - interval '1 day'")
        }
    }
}

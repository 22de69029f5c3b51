package import Domain
package import PostgresClient

/// Finds everything that is held about somebody, page by page in the order of debates' ids.
///
/// No index serves these questions: each page goes on where the last one ended, so that all of them together read a table
/// once.
package struct PersonalDataReader: Sendable {
    /// Debates, or events, of one page.
    package static let pageSize = 200

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// Debates of a subject after `last`.
    /// - Throws: ``StorageError``.
    package func debates(of subject: DataSubject, after last: DebateID?) async throws(StorageError) -> [HeldDebate] {
        try await read("debates of a subject") {
            try await pool.query(
                """
                SELECT \(raw: HeldDebate.columns) FROM \(raw: HeldDebate.tables)
                WHERE \(subject.condition) AND d.id > \(last?.text ?? "") COLLATE "C"
                ORDER BY d.id LIMIT \(Self.pageSize)
                """
            ).map(HeldDebate.init)
        }
    }

    /// What a user did in debates that are not theirs, after `last`; erased events are nobody's any more.
    /// - Throws: ``StorageError``.
    package func foreignEvents(of user: String, after last: ForeignEvent?) async throws(StorageError) -> [ForeignEvent]
    {
        try await read("remarks of a user") {
            try await pool.query(
                """
                SELECT e.debate_id, e.seq FROM debate_events e JOIN debates d ON d.id = e.debate_id
                WHERE \(Self.isBy(user)) AND \(DataSubject.user(user).condition) IS NOT TRUE
                  AND (e.debate_id, e.seq) > (\(last?.debate.text ?? "") COLLATE "C", \(last?.seq ?? 0))
                ORDER BY e.debate_id, e.seq LIMIT \(Self.pageSize)
                """
            ).map { ForeignEvent(debate: try $0.debateID("debate_id"), seq: try $0.int64("seq")) }
        }
    }

    /// Debates that were shown what this one concluded: copies of it are in their events.
    /// - Throws: ``StorageError``.
    package func debatesShown(conclusionOf debate: DebateID) async throws(StorageError) -> [DebateID] {
        try await read("debates shown a conclusion") {
            try await pool.query(
                """
                SELECT debate_id FROM knowledge_recalls WHERE item_id = \(KnowledgeID(conclusionOf: debate))
                ORDER BY debate_id
                """
            ).map { try $0.debateID("debate_id") }
        }
    }

    /// Facts that somebody wrote down, after `last`.
    /// - Throws: ``StorageError``.
    package func facts(of subject: DataSubject, after last: KnowledgeID?) async throws(StorageError) -> [KnowledgeItem]
    {
        guard let condition = ErasureStore.facts(of: subject) else { return [] }
        return try await read("facts of a subject") {
            try await pool.query(
                """
                SELECT \(raw: KnowledgeRows.columns) FROM knowledge_items k
                WHERE k.kind = 'fact' AND \(condition) AND k.id > \(last?.text ?? "") COLLATE "C"
                ORDER BY k.id LIMIT \(Self.pageSize)
                """
            ).map(KnowledgeRows.item)
        }
    }

    /// The condition on `debate_events e` that a person, not a model, made it, and this one.
    static func isBy(_ user: String) -> SQL {
        """
        CASE WHEN e.type IN ('user_message', 'debate_paused', 'debate_resumed') AND octet_length(e.data) > 0
             THEN coalesce(convert_from(e.data, 'UTF8')::jsonb ->> 'author', convert_from(e.data, 'UTF8')::jsonb ->> 'by')
                  = \(user)
             ELSE false END
        """
    }

    /// One event.
    /// - Throws: ``StorageError``.
    package func event(_ event: ForeignEvent) async throws(StorageError) -> SealedEvent? {
        try await read("event") {
            let found = try EventRows.decode(
                try await pool.query(EventRows.select(event.debate, from: event.seq, limit: 1)))
            return found.first { $0.seq == event.seq }
        }
    }

    /// The calls of a debate, without what was answered: that is in its events.
    /// - Throws: ``StorageError``.
    package func calls(of debate: DebateID) async throws(StorageError) -> [HeldCall] {
        try await read("calls") {
            try await pool.query(
                """
                SELECT call_key, attempt, agent, state, provider, model, input_tokens, output_tokens, cost_micro_usd,
                       created_at, settled_at
                FROM agent_calls WHERE debate_id = \(debate) ORDER BY call_key, attempt
                """
            ).map(HeldCall.init)
        }
    }

    /// What people asked of a debate while it ran.
    /// - Throws: ``StorageError``.
    package func commands(of debate: DebateID) async throws(StorageError) -> [HeldCommand] {
        try await read("commands") {
            try await pool.query(
                """
                SELECT number, kind, content, author, created_at FROM debate_commands
                WHERE debate_id = \(debate) ORDER BY number
                """
            ).map(HeldCommand.init)
        }
    }

    private func read<Value>(_ what: String, _ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, what) }
    }
}

/// One attempt of a call to a model, as an export shows it.
package struct HeldCall: Sendable, Hashable {
    package let reference: CallReference
    package let agent: String
    package let state: CallState
    package let provider: String
    package let model: String
    package let usage: Usage
    package let createdAt: Timestamp
    package let settledAt: Timestamp?

    init(_ row: Row) throws(PGError) {
        reference = CallReference(key: CallKey(try row.text("call_key")), attempt: try row.int("attempt"))
        agent = try row.text("agent")
        state = try row.member("state")
        provider = try row.text("provider")
        model = try row.text("model")
        usage = Usage(
            inputTokens: try row.int("input_tokens"), outputTokens: try row.int("output_tokens"),
            cost: MicroUSD(try row.int64("cost_micro_usd")))
        createdAt = try row.timestamp("created_at")
        settledAt = try row.optionalTimestamp("settled_at")
    }
}

/// One command to a running debate, as an export shows it.
package struct HeldCommand: Sendable, Hashable {
    package let number: Int64
    package let kind: String
    package let content: String?
    package let author: String
    package let createdAt: Timestamp

    init(_ row: Row) throws(PGError) {
        number = try row.int64("number")
        kind = try row.text("kind")
        content = try row.optionalText("content")
        author = try row.text("author")
        createdAt = try row.timestamp("created_at")
    }
}

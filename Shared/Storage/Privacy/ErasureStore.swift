package import Domain
import Platform
package import PostgresClient

/// Takes away what was said in a debate that is over (design §2.4).
///
/// One transaction for each debate, under the lock of its run: whoever dies in between has erased all of a debate or
/// nothing. Events keep their numbers, types, times and hashes, so that the chain and every proof of it stay valid.
package struct ErasureStore: Sendable {
    /// What became of one debate.
    package enum Outcome: Sendable, Hashable {
        case erased(events: Int)
        case alreadyErased
        case notFound
        /// Its holder would go on writing.
        case notEnded(DebateStatus)
        /// Its receipt must be kept as it is.
        case onLegalHold
    }

    /// What stands where a question was.
    package static let placeholder = "[erased]"
    /// What stands where a principal was.
    static let nobody = "erased"

    private let pool: PGPool
    private let resender: Resender

    package init(pool: PGPool, resend: ResendPolicy = ResendPolicy()) {
        self.pool = pool
        resender = Resender(pool: pool, policy: resend)
    }

    /// Erases everything said in a debate, and who asked it. Doing so twice does no harm.
    ///
    /// - Parameter reseal: makes the receipt without texts; called with the lock held, so that it does nothing slow.
    /// - Throws: ``StorageError``, or what `reseal` throws; nothing has happened then.
    package func erase(
        _ debate: DebateID, _ entry: AuditEntry? = nil,
        reseal: @escaping @Sendable (StoredReceipt) throws -> StoredReceipt
    ) async throws -> Outcome {
        try await locked(debate, "erase") { held, transaction in
            var statements = Self.statements(debate)
            if let receipt = try await ReceiptReader.receipt(of: debate, in: transaction) {
                statements.append(Self.replace(try reseal(receipt)))
            }
            _ = try await transaction.queryPipelined(statements)
            if let entry { try await AuditLog.append(entry, in: transaction) }
            KillPoint.reach(.insideErasure)
            return .erased(events: Int(held.events))
        }
    }

    /// Erases what a user did in a debate of somebody else; the rest of it stays.
    /// - Throws: ``StorageError``.
    package func eraseRemarks(of user: String, in debate: DebateID) async throws -> Outcome {
        try await locked(debate, "erase remarks") { _, transaction in
            let rows = try await transaction.queryPipelined([
                EmptiedEvents.statement("e.debate_id = \(debate) AND \(PersonalDataReader.isBy(user))"),
                Self.forgetCommands("debate_id = \(debate) AND author = \(user)"),
            ])
            return .erased(events: try rows[0].first?.int("n") ?? 0)
        }
    }

    /// Takes away the facts that somebody wrote down.
    /// - Returns: how many there were.
    /// - Throws: ``StorageError``.
    package func eraseFacts(of subject: DataSubject) async throws(StorageError) -> Int {
        guard let condition = Self.facts(of: subject) else { return 0 }
        do {
            return try await pool.execute("DELETE FROM knowledge_items k WHERE k.kind = 'fact' AND \(condition)")
        } catch { throw StorageError.wrap(error, "erase facts") }
    }

    /// The condition on `knowledge_items k`; nil when a fact can not be the subject's.
    static func facts(of subject: DataSubject) -> SQL? {
        switch subject {
        case .debate: nil
        case .user(let name): "k.created_by = \(name)"
        case .organization(let name): "k.org_id = \(name)"
        }
    }

    private func locked(
        _ debate: DebateID, _ what: String,
        _ body: @escaping @Sendable (HeldDebate, PGTransaction) async throws -> Outcome
    ) async throws -> Outcome {
        do {
            return try await resender.run { _ in
                try await pool.withTransaction { transaction in
                    let rows = try await transaction.query(
                        """
                        SELECT \(raw: HeldDebate.columns) FROM \(raw: HeldDebate.tables)
                        WHERE d.id = \(debate) FOR NO KEY UPDATE OF r, d
                        """)
                    guard let held = try rows.first.map(HeldDebate.init) else { return .notFound }
                    guard !held.isErased else { return .alreadyErased }
                    guard held.status.isTerminal else { return .notEnded(held.status) }
                    guard !held.isOnLegalHold else { return .onLegalHold }
                    return try await body(held, transaction)
                }
            }
        } catch let error as PGError {
            throw StorageError.wrap(error, what)
        }
    }

    // MARK: Statements

    private static func statements(_ debate: DebateID) -> [SQL] {
        [
            "SELECT set_config('aragora.erased_debate', \(debate), true)",
            """
            UPDATE debates
            SET topic = \(placeholder), title = NULL, tags = '{}', slug = \("erased-" + debate.text), context = NULL, spec = '{}', metadata = '{}',
                created_by = \(nobody), user_id = NULL, final_answer = NULL, end_reason = NULL, erased_at = now()
            WHERE id = \(debate)
            """,
            EmptiedEvents.statement("e.debate_id = \(debate)"),
            "UPDATE agent_calls SET content = '' WHERE debate_id = \(debate) AND content <> ''",
            forgetCommands("debate_id = \(debate)"),
            KnowledgeRows.forgetRecalls(of: debate),
            "DELETE FROM knowledge_recalls WHERE item_id = \(KnowledgeID(conclusionOf: debate)) OR debate_id = \(debate)",
            "DELETE FROM knowledge_items WHERE debate_id = \(debate)",
            "DELETE FROM idempotency_keys WHERE debate_id = \(debate)",
            "DELETE FROM debate_shares WHERE debate_id = \(debate)",
            """
            UPDATE batches SET created_by = \(nobody)
            WHERE id IN (SELECT batch_id FROM batch_items WHERE debate_id = \(debate))
            """,
            "DELETE FROM webhook_outbox WHERE debate_id = \(debate)",
            "DELETE FROM debate_callbacks WHERE debate_id = \(debate)",
        ]
    }

    private static func forgetCommands(_ condition: SQL) -> SQL {
        """
        UPDATE debate_commands SET author = \(nobody), content = CASE WHEN content IS NOT NULL THEN '' END
        WHERE \(condition)
        """
    }

    private static func replace(_ receipt: StoredReceipt) -> SQL {
        """
        UPDATE receipts
        SET document = \(receipt.document), checksum = \(receipt.checksum), is_signed = \(receipt.isSigned)
        WHERE id = \(receipt.id.text)
        """
    }
}

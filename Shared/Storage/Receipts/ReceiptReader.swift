package import Domain
package import PostgresClient

/// Which receipts a list shows; nothing set shows all.
package struct ReceiptFilter: Sendable {
    package static let limitRange = 1...100

    package var debate: DebateID?
    package var verdict: Verdict?
    /// `LOW`, `MEDIUM` or `HIGH`.
    package var riskLevel: String?
    /// Made at or after.
    package var since: Timestamp?
    /// Made before.
    package var until: Timestamp?
    package var signedOnly = false
    /// Words that the debate's question begins with or has; nil for any.
    package var search: String?
    package var limit = 20
    package var offset = 0
    /// Whose.
    package let reach: Reach

    package init(within reach: Reach) { self.reach = reach }
}

/// Reads receipts. They are written by the transaction that ends their debate, and by nobody else.
package struct ReceiptReader: Sendable {
    private static let columns = """
        id, debate_id, document, verdict, (confidence * 10000)::bigint AS confidence, checksum, redacted_checksum,
        is_signed, created_at, legal_hold
        """
    let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// - Throws: ``StorageError``.
    package func receipt(_ id: ReceiptID, within reach: Reach) async throws(StorageError) -> StoredReceipt? {
        try await read { try await first("id = \(id.text) AND \(reach.condition(on: "org_id"))") }
    }

    /// Of a debate that was found within the caller's reach.
    /// - Throws: ``StorageError``.
    package func receipt(of debate: DebateID) async throws(StorageError) -> StoredReceipt? {
        try await read { try await first("debate_id = \(debate)") }
    }

    /// The same inside a transaction that is about to change it.
    static func receipt(of debate: DebateID, in transaction: PGTransaction) async throws -> StoredReceipt? {
        try await transaction.query("SELECT \(raw: columns) FROM receipts WHERE debate_id = \(debate) FOR UPDATE")
            .first.map(decode)
    }

    private func first(_ condition: SQL) async throws -> StoredReceipt? {
        try await pool.query("SELECT \(raw: Self.columns) FROM receipts WHERE \(condition)").first.map(Self.decode)
    }

    /// Newest first.
    /// - Throws: ``StorageError``.
    package func list(_ filter: ReceiptFilter) async throws(StorageError) -> Page<StoredReceipt> {
        let condition = filter.condition
        let limit = min(max(filter.limit, ReceiptFilter.limitRange.lowerBound), ReceiptFilter.limitRange.upperBound)
        return try await read {
            let answers = try await pool.batch([
                "SELECT count(*) AS total FROM receipts WHERE \(condition)",
                """
                SELECT \(raw: Self.columns) FROM receipts WHERE \(condition)
                ORDER BY created_at DESC, id DESC LIMIT \(limit) OFFSET \(max(0, filter.offset))
                """,
            ])
            return Page(
                items: try answers[1].rows.map(Self.decode), total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }

    private static func decode(_ row: Row) throws(PGError) -> StoredReceipt {
        StoredReceipt(
            id: try row.receiptID("id"), debate: try row.debateID("debate_id"), document: try row.bytes("document"),
            verdict: try row.member("verdict"), confidence: Ratio(tenThousandths: try row.int64("confidence")),
            checksum: try row.text("checksum"), redactedChecksum: try row.optionalText("redacted_checksum"),
            isSigned: try row.bool("is_signed"), createdAt: try row.timestamp("created_at"),
            isOnLegalHold: try row.bool("legal_hold"))
    }

    func read<Value>(_ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, "receipts") }
    }
}

extension ReceiptFilter {
    fileprivate var condition: SQL {
        var sql = reach.condition(on: "org_id")
        if let debate { sql = "\(sql) AND debate_id = \(debate)" }
        if let verdict { sql = "\(sql) AND verdict = \(verdict.rawValue)" }
        if let riskLevel { sql = "\(sql) AND risk_level = \(riskLevel)" }
        if let since { sql = "\(sql) AND created_at >= \(since)" }
        if let until { sql = "\(sql) AND created_at < \(until)" }
        if signedOnly { sql = "\(sql) AND is_signed" }
        if let search {
            sql = """
                \(sql) AND EXISTS (
                    SELECT FROM debates d
                    WHERE d.id = receipts.debate_id AND d.search @@ to_tsquery('simple', \(SearchText.query(search))))
                """
        }
        return sql
    }
}

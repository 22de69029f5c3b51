package import Contracts
import Crypto
package import Domain
package import PostgresClient

/// What is to be written into the audit log.
package struct AuditEntry: Sendable {
    package var organization: OrganizationID
    package let action: AuditAction
    package let actor: String
    package let resourceType: String
    package let resource: String?
    package var details: JSONObject
    package let origin: Origin

    package init(
        _ action: AuditAction, by actor: String, in organization: OrganizationID, on resourceType: String,
        _ resource: String?, details: JSONObject = JSONObject(), from origin: Origin
    ) {
        self.action = action
        self.actor = actor
        self.organization = organization
        self.resourceType = resourceType
        self.resource = resource
        self.details = details
        self.origin = origin
    }
}

/// An entry as it is stored.
package struct AuditRecord: Sendable {
    package let seq: Int64
    /// Canonical JSON, ``AuditBody/document(_:)``.
    package let document: [UInt8]
    package let previous: [UInt8]
    package let hash: [UInt8]
}

/// Where an organization's chain begins and ends.
package struct AuditChain: Sendable {
    package let firstSeq: Int64
    package let base: [UInt8]
    package let lastSeq: Int64
    package let head: [UInt8]
    package let isHeld: Bool
}

/// The audit log: one hash chain an organization, appended to in the transaction that does what it tells of.
package struct AuditLog: Sendable {
    package static let limitRange = 1...1000
    /// Entries that one transaction of retention removes.
    static let maxTrimmed = 5000

    let pool: PGPool

    package init(pool: PGPool) { self.pool = pool }

    /// The hash before the first entry of an organization.
    package static func genesis(_ organization: OrganizationID) -> [UInt8] {
        SHA256.hash("aragora audit v1 " + organization.text)
    }

    /// The hash of an entry.
    package static func hash(_ document: [UInt8], after previous: [UInt8]) -> [UInt8] {
        SHA256.hash(previous, document)
    }

    // MARK: Writing

    /// Appends in a transaction of its own: for what changed nothing else, such as a refused attempt.
    /// - Throws: ``StorageError``.
    package func append(_ entry: AuditEntry) async throws(StorageError) {
        do { try await pool.withTransaction { try await Self.append(entry, in: $0) } } catch {
            throw StorageError.wrap(error, "audit")
        }
    }

    /// Appends with what it tells of: both or neither. The chain's row stays locked until the commit, so this comes last.
    static func append(_ entry: AuditEntry, in transaction: PGTransaction) async throws {
        let genesis = genesis(entry.organization)
        let answers = try await transaction.queryPipelined([
            """
            INSERT INTO audit_heads (org_id, base_hash, last_hash) VALUES (\(entry.organization), \(genesis), \(genesis))
            ON CONFLICT (org_id) DO NOTHING
            """,
            """
            SELECT last_seq, last_hash, clock_timestamp()::timestamptz(3) AS at FROM audit_heads
            WHERE org_id = \(entry.organization) FOR UPDATE
            """,
        ])
        guard let head = answers[1].first else { throw StorageError(.broken, "audit: no head after its insert") }
        let (seq, previous) = (try head.int64("last_seq") + 1, try head.bytes("last_hash"))
        let at = try head.timestamp("at")
        let document = AuditBody.document(entry.facts(seq: seq, at: at))
        let hash = hash(document, after: previous)
        _ = try await transaction.queryPipelined([
            """
            INSERT INTO audit_log (org_id, seq, at, action, actor, resource_type, resource_id, document, prev_hash, hash)
            VALUES (\(entry.organization), \(seq), \(at), \(entry.action.rawValue), \(entry.actor),
                    \(entry.resourceType), \(entry.resource), \(document), \(previous), \(hash))
            """,
            "UPDATE audit_heads SET last_seq = \(seq), last_hash = \(hash) WHERE org_id = \(entry.organization)",
        ])
    }

    /// Runs a statement and, when it changed a row, appends what tells of it: both or neither.
    /// - Returns: rows that changed.
    static func execute(_ statement: SQL, telling entry: AuditEntry?, on pool: PGPool) async throws -> Int {
        guard let entry else { return try await pool.execute(statement) }
        return try await pool.withTransaction { transaction in
            let changed = try await transaction.execute(statement)
            if changed > 0 { try await append(entry, in: transaction) }
            return changed
        }
    }

    /// The same for a statement that answers a row for each change.
    static func query(_ statement: SQL, telling entry: AuditEntry?, on pool: PGPool) async throws -> [Row] {
        guard let entry else { return try await pool.query(statement) }
        return try await pool.withTransaction { transaction in
            let rows = try await transaction.query(statement)
            if !rows.isEmpty { try await append(entry, in: transaction) }
            return rows
        }
    }

    // MARK: Reading

    /// Nil when nothing was written yet.
    /// - Throws: ``StorageError``.
    package func chain(of organization: OrganizationID) async throws(StorageError) -> AuditChain? {
        try await read {
            try await pool.query(
                """
                SELECT first_seq, base_hash, last_seq, last_hash, legal_hold FROM audit_heads
                WHERE org_id = \(organization)
                """
            ).first.map { row in
                AuditChain(
                    firstSeq: try row.int64("first_seq"), base: try row.bytes("base_hash"),
                    lastSeq: try row.int64("last_seq"), head: try row.bytes("last_hash"),
                    isHeld: try row.bool("legal_hold"))
            }
        }
    }

    /// Entries in order, after `seq`.
    /// - Throws: ``StorageError``.
    package func entries(
        of organization: OrganizationID, after seq: Int64, limit: Int
    ) async throws(StorageError) -> [AuditRecord] {
        try await read {
            try await pool.query(
                """
                SELECT seq, document, prev_hash, hash FROM audit_log
                WHERE org_id = \(organization) AND seq > \(seq) ORDER BY seq LIMIT \(Self.bounded(limit))
                """
            ).map(Self.record)
        }
    }

    /// Newest first, of an action or actor when given.
    /// - Throws: ``StorageError``.
    package func newest(
        of organization: OrganizationID, action: String?, actor: String?, limit: Int, offset: Int
    ) async throws(StorageError) -> Page<AuditRecord> {
        var condition: SQL = "org_id = \(organization)"
        if let action { condition = "\(condition) AND action = \(action)" }
        if let actor { condition = "\(condition) AND actor = \(actor)" }
        let found = condition
        return try await read {
            let answers = try await pool.batch([
                "SELECT count(*) AS total FROM audit_log WHERE \(found)",
                """
                SELECT seq, document, prev_hash, hash FROM audit_log WHERE \(found)
                ORDER BY seq DESC LIMIT \(Self.bounded(limit)) OFFSET \(max(0, offset))
                """,
            ])
            return Page(
                items: try answers[1].rows.map(Self.record), total: try answers[0].rows.first?.int("total") ?? 0)
        }
    }

    // MARK: Keeping

    /// Sets or lifts the legal hold, and says so in the log.
    /// - Throws: ``StorageError``.
    package func hold(_ isHeld: Bool, _ entry: AuditEntry) async throws(StorageError) {
        do {
            try await pool.withTransaction { transaction in
                try await Self.append(entry, in: transaction)
                _ = try await transaction.execute(
                    "UPDATE audit_heads SET legal_hold = \(isHeld) WHERE org_id = \(entry.organization)")
            }
        } catch { throw StorageError.wrap(error, "audit hold") }
    }

    /// Removes the oldest entries that are older than `days`, of every organization that is not held. What is left is
    /// still a chain, from the hash that the head keeps; the removal is its newest entry.
    /// - Returns: how many were removed; when it is not 0 there may be more.
    /// - Throws: ``StorageError``.
    package func trim(olderThanDays days: Int, origin: Origin) async throws(StorageError) -> Int {
        do {
            let due = try await pool.query(
                """
                SELECT h.org_id FROM audit_heads h JOIN audit_log l ON l.org_id = h.org_id AND l.seq = h.first_seq
                WHERE NOT h.legal_hold AND l.at < now() - \(days) * interval '1 day' ORDER BY h.org_id
                """)
            var removed = 0
            for row in due {
                let organization = try row.organizationID("org_id")
                removed += try await pool.withTransaction { transaction in
                    try await Self.trim(organization, days, origin, in: transaction)
                }
            }
            return removed
        } catch { throw StorageError.wrap(error, "audit retention") }
    }

    private static func trim(
        _ organization: OrganizationID, _ days: Int, _ origin: Origin, in transaction: PGTransaction
    ) async throws -> Int {
        // Locked first: a hold that is set meanwhile waits, or is seen.
        let head = try await transaction.query(
            "SELECT first_seq FROM audit_heads WHERE org_id = \(organization) AND NOT legal_hold FOR UPDATE"
        ).first
        guard let first = try head?.int64("first_seq") else { return 0 }
        // Not the newest entry: a chain that was never empty never looks so.
        let last = try await transaction.query(
            """
            SELECT seq, hash FROM audit_log WHERE org_id = \(organization) AND seq < \(first + Int64(maxTrimmed))
                AND at < now() - \(days) * interval '1 day'
                AND seq < (SELECT last_seq FROM audit_heads WHERE org_id = \(organization))
            ORDER BY seq DESC LIMIT 1
            """
        ).first
        guard let last else { return 0 }
        let (seq, hash) = (try last.int64("seq"), try last.bytes("hash"))
        let answers = try await transaction.executePipelined([
            "SELECT set_config('aragora.audit_retention', 'on', true)",
            "DELETE FROM audit_log WHERE org_id = \(organization) AND seq <= \(seq)",
            "UPDATE audit_heads SET first_seq = \(seq + 1), base_hash = \(hash) WHERE org_id = \(organization)",
            "SELECT set_config('aragora.audit_retention', 'off', true)",
        ])
        let details = AuditDetails.removal(firstSeq: first, lastSeq: seq, hash: Hex.encode(hash))
        try await append(
            AuditEntry(
                .auditTrimmed, by: "retention", in: organization, on: "audit_log", nil, details: details, from: origin),
            in: transaction)
        return answers[1].affected
    }

    private static func bounded(_ limit: Int) -> Int { min(max(limit, limitRange.lowerBound), limitRange.upperBound) }

    private static func record(_ row: Row) throws(PGError) -> AuditRecord {
        AuditRecord(
            seq: try row.int64("seq"), document: try row.bytes("document"), previous: try row.bytes("prev_hash"),
            hash: try row.bytes("hash"))
    }

    private func read<Value>(_ work: () async throws -> Value) async throws(StorageError) -> Value {
        do { return try await work() } catch { throw StorageError.wrap(error, "audit") }
    }
}

extension AuditEntry {
    fileprivate func facts(seq: Int64, at: Timestamp) -> AuditBody.Facts {
        let isTooLong = JSONValue.object(details).bytes.count > AuditBody.maximumDetailBytes
        return AuditBody.Facts(
            organization: organization, seq: seq, at: at, action: action, actor: actor, resourceType: resourceType,
            resource: resource, details: isTooLong ? JSONObject([("truncated", .bool(true))]) : details,
            address: origin.address, userAgent: origin.userAgent, requestID: origin.requestID)
    }
}

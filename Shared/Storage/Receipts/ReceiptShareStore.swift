package import Domain
package import PostgresClient

/// Links by which anybody may read one receipt for a while. Only the hash of a token is kept.
package struct ReceiptShareStore: Sendable {
    /// Live links of one receipt.
    package static let maxPerReceipt = 100
    package static let hoursRange = 1...720
    package static let accessRange = 1...10_000

    package enum Creation: Sendable, Equatable {
        case created(expiresAt: Timestamp)
        case tooMany
    }

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// - Parameter tokenHash: SHA-256 of a token of 256 random bits.
    /// - Throws: ``StorageError``.
    package func create(
        _ receipt: ReceiptID, tokenHash: [UInt8], hours: Int, maxAccesses: Int, isRedacted: Bool, by subject: String,
        _ entry: AuditEntry? = nil
    ) async throws(StorageError) -> Creation {
        do {
            let rows = try await AuditLog.query(
                """
                WITH old AS (
                    DELETE FROM receipt_shares WHERE receipt_id = \(receipt.text) AND expires_at < now()
                ), live AS (
                    SELECT count(*) AS n FROM receipt_shares WHERE receipt_id = \(receipt.text) AND expires_at >= now()
                )
                INSERT INTO receipt_shares (token_hash, receipt_id, redacted, created_by, expires_at, max_accesses)
                SELECT \(tokenHash), \(receipt.text), \(isRedacted), \(subject), now() + \(hours) * interval '1 hour',
                       \(maxAccesses)
                FROM live WHERE n < \(Self.maxPerReceipt)
                RETURNING expires_at
                """, telling: entry, on: pool)
            guard let row = rows.first else { return .tooMany }
            return .created(expiresAt: try row.timestamp("expires_at"))
        } catch {
            throw StorageError.wrap(error, "receipt share")
        }
    }

    /// Uses a link once.
    /// - Returns: the receipt, and whether only its redacted form is shown; nil for a link that is not, or no more.
    /// - Throws: ``StorageError``.
    package func use(tokenHash: [UInt8]) async throws(StorageError) -> (receipt: ReceiptID, isRedacted: Bool)? {
        do {
            let rows = try await pool.query(
                """
                UPDATE receipt_shares SET accesses = accesses + 1
                WHERE token_hash = \(tokenHash) AND expires_at > now() AND accesses < max_accesses
                RETURNING receipt_id, redacted
                """)
            guard let row = rows.first else { return nil }
            return (try row.receiptID("receipt_id"), try row.bool("redacted"))
        } catch {
            throw StorageError.wrap(error, "receipt share")
        }
    }
}

package import Domain
import PostgresClient

/// How many receipts there are, of which kinds.
package struct ReceiptStatistics: Sendable {
    package let total: Int
    package let signed: Int
    package let onHold: Int
    package let byVerdict: [(verdict: Verdict, count: Int)]
}

extension ReceiptReader {
    /// - Throws: ``StorageError``.
    package func statistics(within reach: Reach) async throws(StorageError) -> ReceiptStatistics {
        try await read {
            let rows = try await pool.query(
                """
                SELECT verdict, count(*) AS n, count(*) FILTER (WHERE is_signed) AS signed,
                       count(*) FILTER (WHERE legal_hold) AS held
                FROM receipts WHERE \(reach.condition(on: "org_id")) GROUP BY verdict
                """)
            var (total, signed, held) = (0, 0, 0)
            var counts: [Verdict: Int] = [:]
            for row in rows {
                let (verdict, count): (Verdict, Int) = (try row.member("verdict"), try row.int("n"))
                counts[verdict] = count
                total += count
                signed += try row.int("signed")
                held += try row.int("held")
            }
            return ReceiptStatistics(
                total: total, signed: signed, onHold: held,
                byVerdict: Verdict.allCases.map { ($0, counts[$0] ?? 0) })
        }
    }
}

package import Crypto
package import PostgresClient

/// Tries stored secrets with the keys that are set, for `doctor`: one connection, reads only, and only so many.
package struct SecretInspection: Sendable {
    /// Secrets of one column that are opened; a rotation opens all.
    package static let maxOpened = 2000
    /// Rows of one column that are named.
    package static let maxNamed = 3

    package struct Findings: Sendable {
        /// How many secrets of which column have which key.
        package var counts: [SealedCount] = []
        /// Secrets that no key opens. Of keys that are set only those that were tried.
        package var unreadable: Int64 = 0
        /// Some of them: the column and the row, never what is in it.
        package var named: [String] = []
        /// Secrets that were not tried.
        package var untried: Int64 = 0

        /// By key, the most frequent first.
        package func rows(_ versions: [String]) -> [SealedCount] {
            counts.filter { versions.contains($0.version) }.sorted { $0.rows > $1.rows }
        }
    }

    private let connection: PGConnection

    package init(connection: PGConnection) { self.connection = connection }

    /// - Parameter box: the keys that are set; nil for none, which opens nothing.
    /// - Throws: ``StorageError``.
    package func examine(_ box: SecretBox?) async throws(StorageError) -> Findings {
        var found = Findings()
        for column in SealedColumn.all {
            do throws(PGError) {
                try await count(column, box, &found)
                if let box { try await open(column, box, &found) }
            } catch { throw StorageError.wrap(error, "stored secrets") }
        }
        return found
    }

    private func count(
        _ column: SealedColumn, _ box: SecretBox?, _ found: inout Findings
    ) async throws(PGError) {
        let known = box?.versions ?? []
        let rows = try await connection.query(
            """
            SELECT \(raw: column.version) AS version, count(*) AS n,
                   (array_agg(\(raw: column.key) ORDER BY \(raw: column.key)))[1:\(Self.maxNamed)] AS named
            FROM \(raw: column.table) WHERE \(raw: column.column) IS NOT NULL GROUP BY 1 ORDER BY 1
            """)
        for row in rows {
            let count = SealedCount(
                column: column.name, version: try row.text("version"), rows: try row.int64("n"))
            found.counts.append(count)
            guard !known.contains(count.version) else { continue }
            found.unreadable += count.rows
            found.named += try row.textArray("named").map { "\(column.name) of \($0)" }
        }
    }

    /// Those of keys that are set: what was changed, or put into another row, does not open.
    private func open(_ column: SealedColumn, _ box: SecretBox, _ found: inout Findings) async throws(PGError) {
        let rows = try await connection.query(
            """
            SELECT \(raw: column.key) AS row_key, \(raw: column.column) AS sealed FROM \(raw: column.table)
            WHERE \(raw: column.column) IS NOT NULL AND \(raw: column.version) = ANY (\(box.versions))
            ORDER BY \(raw: column.key) LIMIT \(Self.maxOpened)
            """)
        var named = 0
        for row in rows {
            let key = try row.text("row_key")
            guard (try? box.open(try row.bytes("sealed"), for: column.purpose + key)) == nil else { continue }
            found.unreadable += 1
            named += 1
            if named <= Self.maxNamed { found.named.append("\(column.name) of \(key)") }
        }
        let all = found.counts.filter { $0.column == column.name && box.versions.contains($0.version) }
        found.untried += all.reduce(0) { $0 + $1.rows } - Int64(rows.count)
    }
}

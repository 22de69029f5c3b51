package import PostgresClient

/// Counts rows by table, in the snapshot of a backup or of what was restored from it.
package enum TableCounts {
    /// - Parameter transaction: with one snapshot, the one that is dumped.
    /// - Returns: rows per table of the current schema; those of partitions are their table's.
    /// - Throws: ``StorageError``.
    package static func rows(in transaction: PGTransaction) async throws(StorageError) -> [String: Int64] {
        do {
            let tables = try await transaction.query(names).map { try $0.text("name") }
            let counts = try await transaction.queryPipelined(tables.map(count))
            var result: [String: Int64] = [:]
            for (table, rows) in zip(tables, counts) { result[table] = try rows.first?.int64("rows") }
            return result
        } catch {
            throw StorageError.wrap(error, "row counts")
        }
    }

    private static let names: SQL = """
        SELECT c.relname::text AS name FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname
        """

    /// The name comes from the catalogue of a database that may be anybody's, so it is quoted like any identifier.
    private static func count(_ table: String) -> SQL {
        let quoted =
            "\"" + table.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        return "SELECT count(*) AS rows FROM \(raw: quoted)"
    }
}

/// The statements of one open transaction. Valid inside the closure it was given to; used after, it throws `.closed`.
package struct PGTransaction: Sendable {
    let connection: PGConnection

    /// Runs a statement and returns its rows.
    /// - Throws: `.server` (the transaction can then only be rolled back), `.connectionLost`, `.timeout`, `.invalid`.
    package func query(_ sql: SQL) async throws(PGError) -> [Row] {
        try await connection.runInTransaction([sql])[0].rows
    }

    /// Runs a statement and returns how many rows it touched.
    package func execute(_ sql: SQL) async throws(PGError) -> Int {
        try await connection.runInTransaction([sql])[0].affected
    }

    /// Runs several statements in one flush and one round trip; the first error fails all.
    package func queryPipelined(_ statements: [SQL]) async throws(PGError) -> [[Row]] {
        guard !statements.isEmpty else { return [] }
        return try await connection.runInTransaction(statements).map(\.rows)
    }

    /// Like ``queryPipelined(_:)``, with the counts of rows touched.
    package func executePipelined(_ statements: [SQL]) async throws(PGError) -> [PGResult] {
        guard !statements.isEmpty else { return [] }
        return try await connection.runInTransaction(statements)
    }

    /// Runs what is left and commits, in one flush and one round trip. Nothing may follow; the closure that the transaction
    /// was given to returns next.
    /// - Throws: like any statement; or as COMMIT does, and then it is not known whether it took effect.
    package func commit(after statements: [SQL]) async throws(PGError) {
        try await connection.commit(after: statements)
    }
}

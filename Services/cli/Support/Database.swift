import PostgresClient

/// A pool for the length of one command.
enum Database {
    /// - Throws: ``CommandFailure`` `.configuration` without a DSN, `.unavailable` when Postgres does not answer.
    static func with<Value>(_ context: CommandContext, _ body: (PGPool) async throws -> Value) async throws -> Value {
        let pool = PGPool(configuration: try context.settings.postgres(), loop: context.loop, log: context.log)
        do {
            try await pool.open()
            let value = try await body(pool)
            await pool.close()
            return value
        } catch {
            await pool.close()
            throw error
        }
    }
}

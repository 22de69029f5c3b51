import Platform
package import PostgresClient
import Sockets
import Storage

/// The product's schema in a schema of its own, for each test.
package enum DebateDatabase {
    /// Runs `body` with a pool whose search path is a new schema, migrated.
    package static func with<Value>(
        poolSize: Int = 4, _ body: (PGPool) async throws -> Value
    ) async throws -> Value {
        try await TestDatabase.withSchema(poolSize: poolSize) { pool, _ in
            try await Migrator.migrate(
                StorageMigrations.all, configuration: pool.configuration, loop: pool.loop, log: .disabled,
                // Nobody else migrates this schema; the product's own lock would make tests wait for each other.
                lockKey: .random(in: 1 ... .max))
            return try await body(pool)
        }
    }
}

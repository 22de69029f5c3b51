package import Platform
package import PostgresClient
package import Sockets

/// A schema of its own in the real Postgres for each test, dropped afterwards.
package enum TestDatabase {
    /// Schemas in use at a time: Swift Testing starts every test at once, and Postgres has 300 connections.
    private static let turnstile = Turnstile(places: 16)

    /// The test database, with `schema` as the search path when given.
    /// - Throws: ``Backends/Missing`` without TEST_DATABASE_URL.
    package static func configuration(schema: String? = nil, poolSize: Int = 4) throws -> PGConfiguration {
        guard let url = Backends.postgresURL else {
            throw Backends.Missing(description: "TEST_DATABASE_URL is not set")
        }
        var configuration = PGConfiguration(dsn: url, poolSize: poolSize)
        configuration.applicationName = schema ?? "tests"
        if let schema { configuration.sessionParameters["search_path"] = schema }
        return configuration
    }

    /// Runs `body` with a started pool on a loop of its own, whose search path is a new schema.
    /// - Parameter configure: changes the pool's configuration before it starts.
    package static func withSchema<Value>(
        poolSize: Int = 4, metrics: Metrics? = nil, configure: (inout PGConfiguration) -> Void = { _ in },
        _ body: (PGPool, String) async throws -> Value
    ) async throws -> Value {
        await turnstile.enter()
        defer { turnstile.leave() }
        let schema = "t_" + String(UInt64.random(in: .min ... .max), radix: 36)
        var configuration = try configuration(schema: schema, poolSize: poolSize)
        configure(&configuration)
        let loop = try EventLoop(name: "test-\(schema)")
        defer { loop.stop() }
        let pool = PGPool(configuration: configuration, loop: loop, log: .disabled, metrics: metrics)
        do {
            try await administer("CREATE SCHEMA \(raw: schema)", on: loop)
            await pool.start()
            let value = try await body(pool, schema)
            await pool.close()
            try await administer("DROP SCHEMA \(raw: schema) CASCADE", on: loop)
            return value
        } catch {
            await pool.close()
            _ = try? await administer("DROP SCHEMA IF EXISTS \(raw: schema) CASCADE", on: loop)
            throw error
        }
    }

    /// Runs one statement on a connection of its own, outside the pool under test.
    @discardableResult
    package static func administer(_ sql: SQL, on loop: EventLoop) async throws -> [Row] {
        try await withConnection(on: loop) { try await $0.query(sql) }
    }

    /// Drops a database that a test made, whoever is in it.
    package static func dropDatabase(_ name: String, on loop: EventLoop) async throws {
        try await withConnection(on: loop) { try await $0.dropDatabase(name) }
    }

    private static func withConnection<Value>(
        on loop: EventLoop, _ body: (PGConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await PGConnection.open(configuration(), loop: loop, log: .disabled)
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}

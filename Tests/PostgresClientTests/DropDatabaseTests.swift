import Platform
import Sockets
import TestSupport
import Testing

@testable import PostgresClient

/// That autovacuum makes `WITH (FORCE)` refuse can not be brought about in a test, as only a superuser can make it work
/// at a given time; what is done then is called here by itself.
@Suite("Dropping a database", .needsPostgres)
struct DropDatabaseTests {
    private func withDatabase(
        _ body: (PGConnection, String, _ inside: PGConnection) async throws -> Void
    ) async throws {
        let name = "t_\"drop\"_" + String(UInt64.random(in: .min ... .max), radix: 36)
        let loop = try EventLoop(name: "drop")
        defer { loop.stop() }
        let connection = try await PGConnection.open(TestDatabase.configuration(), loop: loop, log: .disabled)
        let quoted = name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        _ = try await connection.execute("CREATE DATABASE \"\(raw: quoted)\" TEMPLATE template0")
        let inside = try await PGConnection.open(
            TestDatabase.configuration().connecting(toDatabase: name), loop: loop, log: .disabled)
        do { try await body(connection, name, inside) } catch {
            try? await connection.dropDatabase(name)
            throw error
        }
        await inside.close()
        await connection.close()
    }

    private func exists(_ name: String, _ connection: PGConnection) async throws -> Bool {
        try await !connection.query("SELECT 1 AS one FROM pg_database WHERE datname = \(name)").isEmpty
    }

    @Test("ends the sessions in it, and does not mind that it is gone")
    func forced() async throws {
        try await withDatabase { connection, name, inside in
            #expect(try await exists(name, connection))
            try await connection.dropDatabase(name)
            #expect(try await !exists(name, connection))
            await #expect(throws: PGError.self) { try await inside.query("SELECT 1 AS one") }
            try await connection.dropDatabase(name)
        }
    }

    @Test("without FORCE does the same to sessions of the same role")
    func unforced() async throws {
        try await withDatabase { connection, name, inside in
            try await connection.dropDatabaseWithoutForce(name, timeout: .seconds(20))
            #expect(try await !exists(name, connection))
            await #expect(throws: PGError.self) { try await inside.query("SELECT 1 AS one") }
        }
    }
}

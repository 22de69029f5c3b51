import Domain
import Messaging
import PostgresClient
import RedisClient
import ServiceKit
import Storage

/// The copies of debates in Redis, for the length of one command.
enum ReplayCache {
    /// Lends a function that deletes a debate's copies; one that does nothing when no Redis is set, or nothing is to be done.
    static func with<Value>(
        _ context: CommandContext, _ pool: PGPool, isDryRun: Bool,
        _ body: (@escaping (DebateID) async throws -> Void) async throws -> Value
    ) async throws -> Value {
        guard !isDryRun, let (configuration, prefix) = try context.settings.redis() else {
            return try await body { _ in }
        }
        let source = KeyspaceSource(prefix: prefix)
        source.learned(try await InstallationStore(pool: pool).installation())
        guard let keyspace = source.current else { throw CommandFailure(.software, "no keyspace") }
        let connection = RedisConnection(loop: context.loop, configuration: configuration, log: context.log)
        do {
            try await connection.connect()
            let stream = EventStream(connection: connection, keyspace: keyspace)
            let value = try await body { try await stream.erase($0) }
            await connection.close()
            return value
        } catch let error as RedisError {
            await connection.close()
            throw CommandFailure(
                .unavailable,
                "Redis, which has copies of debates: \(error.message); what was told before is erased, run this again")
        } catch {
            await connection.close()
            throw error
        }
    }
}

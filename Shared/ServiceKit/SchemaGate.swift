package import Platform
package import PostgresClient
package import Sockets
import Storage

/// Whether Postgres's schema is one this program can work with. Once it is, it stays so: migrations only go forward.
final class SchemaGate: Sendable {
    private let configuration: PGConfiguration
    private let loop: EventLoop
    private let log: Log
    private let isUsable = Lock(false)

    init(configuration: PGConfiguration, loop: EventLoop, log: Log) {
        self.configuration = configuration
        self.loop = loop
        self.log = log
    }

    /// - Throws: what is missing, or why it can not be known.
    func check() async throws -> String {
        if isUsable.withLock({ $0 }) { return "up to date" }
        let pending = try await Migrator.pending(
            StorageMigrations.all, configuration: configuration, loop: loop, log: log)
        guard pending.isEmpty else { throw SchemaOutdated(pending: pending.count) }
        isUsable.withLock { $0 = true }
        return "up to date"
    }
}

/// Migrations have to be applied first.
struct SchemaOutdated: Error, CustomStringConvertible {
    let pending: Int
    var description: String { "\(pending) migrations pending; run: aragora db migrate" }
}

/// Applies the migrations when the process starts (`ARAGORA_MIGRATE_ON_START`), and waits for Postgres to be there.
package struct MigrationOnStart: Service {
    static let retry = Duration.milliseconds(500)

    package let name = "migration"
    private let configuration: PGConfiguration
    private let loop: EventLoop
    private let log: Log

    package init(configuration: PGConfiguration, loop: EventLoop, log: Log) {
        self.configuration = configuration
        self.loop = loop
        self.log = log
    }

    package func run(until shutdown: ShutdownSignal) async throws {
        while shutdown.phase == .running {
            do {
                try await Migrator.migrate(StorageMigrations.all, configuration: configuration, loop: loop, log: log)
                break
            } catch let error as PGError where error.isRetryable || error.code == .unavailable {
                log.warning("migration waits for postgres", .error(error))
                try? await loop.sleep(for: Self.retry)  // ends early only when the process stops
            } catch {
                throw ServiceHost.ConfigurationError("migration: \(error)")
            }
        }
        await shutdown.wait(for: .draining)
    }
}

import Platform
import PostgresClient
import Sockets

/// The connection of one run: it holds the lock that keeps other runs of this database away, and the snapshot.
///
/// When it is lost the run fails: without the snapshot the dump is not the one that was counted.
enum BackupSession {
    /// "aragora backup", as an advisory lock of the database.
    static let lockKey: Int64 = 2_089_872_454
    /// Counting the rows of one table, copying a template.
    static let statementTimeout = Duration.seconds(3600)

    /// Runs `body` with the lock.
    /// - Throws: ``BackupError`` `.busy` when another run has it, `.unavailable` without a connection; what `body` throws.
    static func with<Value>(
        _ configuration: PGConfiguration, loop: EventLoop, log: Log, _ body: (PGConnection) async throws -> Value
    ) async throws -> Value {
        let connection: PGConnection
        do {
            connection = try await PGConnection.open(patient(configuration), loop: loop, log: log)
        } catch {
            throw BackupError(.unavailable, "Postgres: \(error)")
        }
        do {
            guard try await connection.query("SELECT pg_try_advisory_lock(\(lockKey)) AS mine")[0].bool("mine") else {
                throw BackupError(.busy, "another backup of this database is running")
            }
            let value = try await body(connection)
            // Closing gives it back too, but only when Postgres has noticed: the next run, of this process too, might come first.
            _ = try? await connection.query("SELECT pg_advisory_unlock(\(lockKey)) AS given")
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// For statements over whole tables, and a transaction that waits for pg_dump.
    static func patient(_ configuration: PGConfiguration) -> PGConfiguration {
        var patient = configuration
        patient.applicationName = "aragora-backup"
        patient.statementTimeout = statementTimeout
        patient.sessionParameters["idle_in_transaction_session_timeout"] = "0"
        return patient
    }
}

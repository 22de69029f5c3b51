import Glibc
import Platform
package import PostgresClient
package import Sockets
import TestSupport

extension PrivatePostgres {
    /// How a replica is named to its primary.
    package static let replicaName = "second"

    /// A server that follows this one by streaming; returns when it has caught up.
    ///
    /// - Parameter isSynchronous: from then on no commit of the primary is answered before the replica has it on its disk.
    package func makeReplica(isSynchronous: Bool, on loop: EventLoop) async throws -> PrivatePostgres {
        let replica = try await PrivatePostgres.copy(of: self, as: Self.replicaName)
        do {
            if isSynchronous {
                for sql: SQL in [
                    "ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (\(raw: Self.replicaName))'",
                    "SELECT pg_reload_conf()",
                ] { _ = try await query(sql, on: loop) }
            }
            let wanted = isSynchronous ? "sync" : "async"
            for _ in 0..<600 {
                let rows = try await query(
                    "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'", on: loop)
                if try rows.first?.text("sync_state") == wanted { return replica }
                try await loop.sleep(for: .milliseconds(50))
            }
            throw Failed(description: "the replica does not follow: \(replica.logTail)")
        } catch {
            await replica.remove()
            throw error
        }
    }

    /// Makes a replica a primary; returns when it takes writes.
    package func promote(on loop: EventLoop) async throws {
        _ = try await query("SELECT pg_promote(true, 60)", on: loop)
    }

    /// One statement, outside a transaction, over a connection for it alone.
    @discardableResult
    package func query(_ sql: SQL, on loop: EventLoop) async throws -> [Row] {
        let connection = try await PGConnection.open(PGConfiguration(dsn: url), loop: loop, log: .disabled)
        do {
            let rows = try await connection.query(sql, timeout: .seconds(70))
            await connection.close()
            return rows
        } catch {
            await connection.close()
            throw error
        }
    }

    /// The whole server dies at once, without a last word to anybody.
    package func crash() {
        for pid in processes.reversed() { kill(pid, SIGKILL) }
    }
}

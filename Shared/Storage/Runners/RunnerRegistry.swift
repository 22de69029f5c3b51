package import Domain
package import Platform
package import PostgresClient
import Sockets

/// One start of one process that runs debates: its lease, and the proof that it is there.
///
/// The row becomes visible only after the session's advisory lock is held; the same session renews. When the process dies,
/// its socket closes, the lock goes, and others see it within two sweeps; a frozen one is seen when its lease runs out.
package actor RunnerRegistry {
    package enum Kind: String, Sendable { case worker, embedded }

    /// What a runner says of itself.
    package struct Registration: Sendable {
        package let id: RunnerID
        package let kind: Kind
        /// Debates it runs at a time.
        package let capacity: Int
        /// Random; nil behind a transaction pooler, where only the lease counts.
        package let presenceKey: Int64?
        package let lease: Duration

        package init(id: RunnerID, kind: Kind, capacity: Int, presenceKey: Int64?, lease: Duration) {
            self.id = id
            self.kind = kind
            self.capacity = capacity
            self.presenceKey = presenceKey
            self.lease = lease
        }
    }

    package enum Renewal: Sendable, Hashable {
        /// Everything this runner owns, by what Postgres says, and those of them whose commands are not all in their log.
        case holdings([Holding], commanded: Set<DebateID> = [])
        /// The row is gone: stop everything and register anew, under a new id.
        case expired
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { connection.unownedExecutor }

    package nonisolated let registration: Registration
    /// Dedicated: it holds the presence lock, and its end is the end of this registration's fast path.
    package nonisolated let connection: PGConnection
    private var sweep = PresenceSweep()

    /// - Parameter connection: opened with ``sessionParameters`` for this runner alone.
    package init(_ registration: Registration, on connection: PGConnection) {
        self.registration = registration
        self.connection = connection
    }

    /// Sessions that lock runs: a frozen client must not hold locks (design §2.2). The pools of services are opened with
    /// this too.
    package static func configure(_ configuration: PGConfiguration) -> PGConfiguration {
        var configuration = configuration
        configuration.sessionParameters["idle_in_transaction_session_timeout"] = "1000"
        configuration.sessionParameters["tcp_keepalives_idle"] = "3"
        configuration.sessionParameters["tcp_keepalives_interval"] = "1"
        configuration.sessionParameters["tcp_keepalives_count"] = "3"
        configuration.sessionParameters["tcp_user_timeout"] = "3000"
        configuration.tcpUserTimeout = .seconds(3)
        configuration.keepaliveInterval = .seconds(3)
        return configuration
    }

    // MARK: Life

    /// Takes the presence lock, then shows the row. Also for coming back on a new connection under the same id: the row
    /// is renewed with what the new session holds.
    /// - Throws: ``StorageError`` `.unavailable`, also when the old session still holds the lock; try again.
    package func register() async throws(StorageError) {
        do {
            try await takePresenceLock()
            _ = try await connection.execute(insertRow)
        } catch {
            throw Self.error(error, "register")
        }
    }

    private func takePresenceLock() async throws {
        guard let key = registration.presenceKey else { return }
        let rows = try await connection.query("SELECT pg_try_advisory_lock(\(key)) AS taken")
        guard try rows.first?.bool("taken") == true else {
            throw StorageError(.unavailable, "the presence lock of \(registration.id) is still held by its old session")
        }
    }

    private var insertRow: SQL {
        """
        INSERT INTO runners (id, kind, expires_at, presence_key, capacity, postgres_started_at)
        VALUES (\(registration.id), \(registration.kind.rawValue), \(expiry), \(registration.presenceKey),
                \(registration.capacity), pg_postmaster_start_time())
        ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, renewed_at = now(),
            postgres_started_at = excluded.postgres_started_at
        """
    }

    private var expiry: SQL { "clock_timestamp() + \(registration.lease.milliseconds) * interval '1 millisecond'" }

    /// Extends the lease and says what we hold. Every second; send nothing to a provider when the last answer is older
    /// than the lease less a second.
    ///
    /// A lease that ran out is renewed too: whatever was adopted meanwhile is no longer in the answer.
    /// - Throws: ``StorageError``.
    package func renew() async throws(StorageError) -> Renewal {
        do {
            let rows = try await connection.query(
                """
                WITH me AS (
                    UPDATE runners SET expires_at = \(expiry), renewed_at = now() WHERE id = \(registration.id) RETURNING id
                )
                SELECT r.debate_id, r.lease_epoch, r.next_command > r.consumed_seq + 1 AS is_commanded
                FROM me LEFT JOIN debate_runs r ON r.lease_owner = me.id
                """)
            guard !rows.isEmpty else { return .expired }
            let held = try rows.filter { try !$0.isNull("debate_id") }
            return .holdings(
                try held.map { Holding(debate: try $0.debateID("debate_id"), epoch: try $0.int64("lease_epoch")) },
                commanded: Set(try held.filter { try $0.bool("is_commanded") }.map { try $0.debateID("debate_id") }))
        } catch {
            throw Self.error(error, "renew")
        }
    }

    /// Takes the row away, after the last release; what is still owned counts as orphaned at once. Then close the
    /// connection, which frees the lock.
    /// - Throws: ``StorageError``.
    package func retire() async throws(StorageError) {
        do {
            _ = try await connection.execute("DELETE FROM runners WHERE id = \(registration.id)")
        } catch {
            throw Self.error(error, "retire")
        }
    }

    // MARK: Others

    /// Looks for runners whose presence lock is gone. Every 500 ms.
    /// - Throws: ``StorageError``, and then counts as no sweep: adoption waits for clean ones again.
    package func sweepPresence(now: BootInstant) async throws(StorageError) -> PresenceSweep.Finding {
        do {
            let absent = try await connection.query(Self.absentRunners).compactMap { try $0.runnerID("id") }
            return sweep.saw(absent: absent, now: now)
        } catch {
            sweep = PresenceSweep()
            throw Self.error(error, "sweep")
        }
    }

    /// Runners whose lock nobody holds, as far as this server can know: it started before they did. A bigint's lock is
    /// shown as two halves of 32 bits with objsubid 1.
    private static let absentRunners: SQL = """
        SELECT id FROM runners
        WHERE presence_key IS NOT NULL AND postgres_started_at = pg_postmaster_start_time() AND presence_key NOT IN (
            SELECT classid::bigint << 32 | objid::bigint FROM pg_locks
            WHERE locktype = 'advisory' AND objsubid = 1 AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        """

    /// Removes rows of runners that are long dead and own nothing any more.
    /// - Throws: ``StorageError``.
    package func purge() async throws(StorageError) {
        do {
            _ = try await connection.execute(
                """
                DELETE FROM runners o WHERE expires_at < now() - interval '1 minute'
                  AND NOT EXISTS (SELECT FROM debate_runs r WHERE r.lease_owner = o.id)
                """)
        } catch {
            throw Self.error(error, "purge")
        }
    }

    private static func error(_ error: any Error, _ what: String) -> StorageError {
        switch error {
        case let error as StorageError: error
        case let error as PGError: StorageError(error, what)
        default: StorageError(.unavailable, "\(what): \(error)")
        }
    }
}

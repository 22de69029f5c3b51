package import Domain
package import PostgresClient

/// Makes the partitions of the log ahead of time, and drops those whose time is over (docs/adr: retention of events).
///
/// Every method is one statement that takes the database's lock for this, so that any process may call it, two at once too.
package struct EventRetentionStore: Sendable {
    /// There is always a partition for this long from now.
    package static let daysAhead = 62
    /// Debates of one transaction that are removed one by one: those that lie in no month's partition.
    package static let batch = 100

    /// Debates of one transaction whose calls' answers are emptied, and transactions of one pass; what is left waits for the next.
    package static let emptied = 500
    package static let emptyings = 200

    /// A partition whose time is over, and what keeps it.
    package struct Kept: Sendable, Hashable {
        package let partition: String
        /// Such as `open: dbt_…` or `held: dbt_…`.
        package let reason: String
    }

    /// What one pass did.
    package struct Pass: Sendable, Hashable {
        package internal(set) var removed: [String] = []
        package internal(set) var kept: [Kept] = []
        /// Debates outside the months whose logs went.
        package internal(set) var strays = 0
    }

    private let pool: PGPool
    package init(pool: PGPool) { self.pool = pool }

    /// Makes the partitions of the coming months.
    /// - Returns: the names of those that were missing.
    /// - Throws: ``StorageError``; `.unavailable` also when somebody uses the default partition just now: what was made stays, ask
    ///   again later.
    package func makeAhead() async throws(StorageError) -> [String] {
        do {
            var made: [String] = []
            while let name = try await pool.query(
                "SELECT make_event_partition(now() + \(Self.daysAhead) * interval '1 day') AS made"
            ).first?.optionalText("made") { made.append(name) }
            return made
        } catch { throw StorageError.wrap(error, "event partitions") }
    }

    /// Drops the partitions that ended `days` ago, the oldest first, but for those that hold a debate which is not over, is on legal
    /// hold, has a receipt that is not in the receipt log, or was branched off by one that is not over. What models answered, which is
    /// stored with the calls too, goes with them; what it cost stays.
    /// - Throws: ``StorageError``; what was dropped until then is gone.
    package func expire(days: Int) async throws(StorageError) -> Pass {
        do {
            var pass = Pass()
            let due = try await pool.query(
                """
                SELECT name FROM event_partitions
                WHERE removed_at IS NULL AND ends_at < now() - \(days) * interval '1 day' ORDER BY first_id
                """)
            for row in due {
                let name = try row.text("name")
                let answer = try await pool.query("SELECT remove_event_partition(\(name)) AS reason")
                if let reason = try answer.first?.optionalText("reason") {
                    pass.kept.append(Kept(partition: name, reason: reason))
                } else {
                    pass.removed.append(name)
                }
            }
            pass.strays =
                try await pool.query(
                    "SELECT remove_stray_logs(debate_id_floor(now() - \(days) * interval '1 day'), \(Self.batch)) AS n"
                ).first?.int("n") ?? 0
            for _ in 0..<Self.emptyings {
                let count = try await pool.query("SELECT empty_removed_answers(\(Self.emptied)) AS n").first?.int("n")
                if count == 0 { break }
            }
            return pass
        } catch { throw StorageError.wrap(error, "event retention") }
    }

    /// Whether the schema knows of it: an older backup's does not.
    /// - Throws: ``StorageError``.
    package func exists() async throws(StorageError) -> Bool {
        do {
            return try await pool.query("SELECT to_regclass('event_partitions') IS NOT NULL AS yes")[0].bool("yes")
        } catch {
            throw StorageError.wrap(error, "event retention")
        }
    }

    /// Whether a debate whose log is empty had one until its retention passed.
    /// - Throws: ``StorageError``.
    package func isRemoved(_ debate: DebateID) async throws(StorageError) -> Bool {
        do { return try await pool.query(Self.removed(debate))[0].bool("removed") } catch {
            throw StorageError.wrap(error, "event retention")
        }
    }

    /// One row.
    static func removed(_ debate: DebateID) -> SQL {
        """
        SELECT EXISTS (
            SELECT FROM (
                SELECT end_id, removed_at FROM event_partitions WHERE first_id <= \(debate) ORDER BY first_id DESC LIMIT 1) AS part
            WHERE end_id > \(debate) AND removed_at IS NOT NULL
        ) OR EXISTS (SELECT FROM removed_logs WHERE debate_id = \(debate)) AS removed
        """
    }
}

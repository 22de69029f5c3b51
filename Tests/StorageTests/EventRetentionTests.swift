import Crypto
import Domain
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing

/// The log in partitions: how it got there, that nothing changed for who reads and writes, and what may be dropped.
@Suite("Retention of events", .needsPostgres, .timeLimit(.minutes(2)))
struct EventRetentionTests {
    // MARK: The migration

    @Test("a log that is in use becomes a partition: no row moves, readers are waited for, writers are not stopped")
    func migration() async throws {
        try await TestDatabase.withSchema(poolSize: 6) { pool, _ in
            let split = try #require(StorageMigrations.all.firstIndex { $0.name == "bound_first_events" })
            try await Self.migrate(Array(StorageMigrations.all.prefix(split)), pool)
            let bench = Bench(pool)
            var (chain, _) = try await bench.held(by: try await bench.runner())
            _ = try await bench.log.append(chain.batch(epoch: 1))
            let before = try await pool.query(
                "SELECT pg_relation_filenode('debate_events'::regclass)::bigint AS file, xmin::text FROM debate_events WHERE seq = 2"
            )[0]

            // Somebody reads the log all along, as pg_dump does, and somebody goes on appending.
            let migrating = Lock(true)
            let after = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await pool.withTransaction { transaction in
                        _ = try await transaction.query("SELECT count(*) AS n FROM debate_events")
                        try await pool.loop.sleep(for: .milliseconds(700))
                    }
                }
                group.addTask {
                    try await Self.migrate(StorageMigrations.all, pool)
                    migrating.withLock { $0 = false }
                }
                var written = chain
                repeat {
                    #expect(try await bench.log.append(written.batch(epoch: 1)) == .appended)
                } while migrating.withLock { $0 }
                try await group.waitForAll()
                return written
            }
            let events = try await bench.events(chain.debate)
            #expect(events.count == Int(after.tail.seq) && events.last?.hash == after.tail.hash)
            let row = try await pool.query(
                """
                SELECT pg_relation_filenode('debate_events_first'::regclass)::bigint AS file, xmin::text,
                       tableoid::regclass::text AS partition FROM debate_events WHERE seq = 2
                """)[0]
            #expect(try row.int64("file") == before.int64("file") && row.text("xmin") == before.text("xmin"))
            #expect(try row.text("partition") == "debate_events_first")
            #expect(
                try await bench.count(
                    "pg_constraint WHERE conname = 'debate_events_first' AND connamespace = current_schema()::regnamespace"
                ) == 0)
            #expect(try await bench.count("debate_messages WHERE debate_id = \(chain.debate.text)") > 0)
        }
    }

    private static func migrate(_ migrations: [Migrator.Migration], _ pool: PGPool) async throws {
        try await Migrator.migrate(
            migrations, configuration: pool.configuration, loop: pool.loop, log: .disabled,
            lockKey: .random(in: 1 ... .max))
    }

    @Test("an id from a clock that was years ahead does not stop the migration")
    func farAhead() async throws {
        try await TestDatabase.withSchema { pool, _ in
            let split = try #require(StorageMigrations.all.firstIndex { $0.name == "bound_first_events" })
            try await Self.migrate(Array(StorageMigrations.all.prefix(split)), pool)
            let bench = Bench(pool)
            let far = try await bench.debate { $0 = Self.draft(daysFromNow: 800) }
            try await Self.migrate(StorageMigrations.all, pool)
            let soon = try await bench.debate()
            for chain in [far, soon] { #expect(try await Self.partition(of: chain, bench) == "debate_events_first") }
        }
    }

    // MARK: Partitions

    /// A debate with an id of another day.
    private static func draft(daysFromNow days: Int64) -> Draft {
        // swift-format-ignore: NeverUseForceTry
        var draft = try! Draft()
        let id = DebateID(
            milliseconds: WallClock.nowMilliseconds() + days * 86_400_000,
            random: (0..<10).map { _ in .random(in: 0...255) })
        draft.chain = TestChain(id)
        draft.start = draft.chain.next("debate_start", epoch: 0)
        draft.slug = "debate-\(id.text.suffix(12))"
        return draft
    }

    private static func partition(of chain: TestChain, _ bench: Bench) async throws -> String? {
        try await bench.pool.query(
            "SELECT tableoid::regclass::text AS name FROM debate_events WHERE debate_id = \(chain.debate.text) AND seq = 1"
        ).first?.text("name")
    }

    @Test("the bounds are times: an id of the first and of the last millisecond of a month lie in it")
    func bounds() async throws {
        try await Bench.with { bench in
            let row = try await bench.pool.query(
                """
                SELECT first_id, end_id, (extract(epoch FROM ends_at) * 1000)::bigint AS ends FROM event_partitions
                ORDER BY first_id DESC LIMIT 1
                """)[0]
            let ends = try row.int64("ends")
            let last = DebateID(milliseconds: ends - 1, random: Array(repeating: 255, count: 10)).text
            let next = DebateID(milliseconds: ends, random: Array(repeating: 0, count: 10)).text
            let end = try row.text("end_id")
            #expect(last < end && end < next && next.hasPrefix(end))
        }
    }

    @Test("partitions are made ahead, once; what waited in the default one moves into its month with its chain")
    func madeAhead() async throws {
        try await Bench.with { bench in
            let store = EventRetentionStore(pool: bench.pool)
            #expect(try await store.makeAhead().count <= 1, "the migration made two")
            #expect(try await store.makeAhead().isEmpty)
            let late = try await bench.debate { $0 = Self.draft(daysFromNow: 150) }
            let now = try await bench.debate()
            #expect(try await Self.partition(of: late, bench) == "debate_events_rest")
            #expect(try await Self.partition(of: now, bench) == "debate_events_first")
            while let name = try await bench.pool.query(
                "SELECT make_event_partition(now() + interval '200 days') AS name"
            ).first?.optionalText("name") { #expect(name.hasPrefix("debate_events_2")) }
            let month = try await Self.partition(of: late, bench)
            #expect(month?.hasPrefix("debate_events_2") == true, "\(month ?? "nowhere")")
            #expect(try await bench.count("debate_events_rest") == 0)
            #expect(try await bench.events(late.debate).map(\.hash) == [late.tail.hash])
            // The rules hold in every partition, also for who names it.
            let table = try #require(month)
            for statement in [
                "UPDATE \(table) SET type = 'x'", "DELETE FROM \(table)", "TRUNCATE \(table)", "TRUNCATE debate_events",
                "DELETE FROM debate_events", "INSERT INTO debate_events SELECT * FROM \(table)",
            ] {
                await #expect(throws: PGError.self, "\(statement)") {
                    try await bench.pool.execute("\(raw: statement)")
                }
            }
            let made = try await bench.pool.query(
                """
                SELECT count(*) AS n FROM pg_indexes WHERE schemaname = current_schema() AND tablename = \(table)
                """)[0].int("n")
            #expect(made == 2)
        }
    }

    @Test("a question for one debate reads one partition, by a plan for any value too")
    func pruned() async throws {
        try await Bench.with { bench in
            let chain = try await bench.debate()
            try await bench.pool.withTransaction { transaction in
                for mode in ["force_generic_plan", "force_custom_plan"] {
                    _ = try await transaction.execute("SET LOCAL plan_cache_mode = \(raw: mode)")
                    _ = try await transaction.execute(
                        """
                        PREPARE \(raw: mode) (text) AS SELECT hash FROM debate_events WHERE debate_id = $1 AND seq >= 1
                        ORDER BY seq LIMIT 10
                        """)
                    let plan = try await transaction.query(
                        "EXPLAIN (ANALYZE, COSTS off) EXECUTE \(raw: mode) ('\(raw: chain.debate.text)')"
                    ).map { try $0.text("QUERY PLAN") }
                    #expect(plan.count { $0.contains("Index Scan") || $0.contains("Seq Scan") } == 1, "\(plan)")
                }
            }
        }
    }

    // MARK: Retention

    /// As if the months that there are had ended a year ago.
    private static func age(_ bench: Bench) async throws {
        _ = try await bench.pool.execute("UPDATE event_partitions SET ends_at = now() - interval '1 year'")
    }

    private static func ended(_ bench: Bench) async throws -> (chain: TestChain, receipt: StoredReceipt) {
        var chain = try await bench.held(by: try await bench.runner()).chain
        let receipt = try chain.receipt()
        let (batch, conclusion) = chain.end(epoch: 1, receipt: receipt)
        _ = try await bench.log.conclude(batch, conclusion)
        return (chain, receipt)
    }

    private static func reason(_ bench: Bench) async throws -> String? {
        let pass = try await EventRetentionStore(pool: bench.pool).expire(days: 30)
        return pass.kept.first { $0.partition == "debate_events_first" }?.reason
    }

    @Test("a month goes when all its debates are over, none is held, and every receipt is in the receipt log")
    func expired() async throws {
        try await Bench.with { bench in
            let store = EventRetentionStore(pool: bench.pool)
            let holds = ReceiptRetentionStore(pool: bench.pool)
            let (chain, receipt) = try await Self.ended(bench)
            let open = try await bench.debate()
            #expect(try await Self.reason(bench) == nil, "no month is over")
            try await Self.age(bench)
            #expect(try await store.expire(days: 366).removed.isEmpty, "not long enough")
            #expect(try await Self.reason(bench) == "open: \(open.debate)")
            try await bench.end(open.debate)
            #expect(try await Self.reason(bench) == "not in the receipt log: \(chain.debate)")
            _ = try await bench.pool.execute("DELETE FROM receipt_log_queue")
            #expect(try await holds.hold(receipt.id, true, reason: "a claim"))
            #expect(try await Self.reason(bench) == "held: \(chain.debate)")
            #expect(try await bench.events(chain.debate).count == 3)
            #expect(try await holds.hold(receipt.id, false, reason: nil))
            // An open debate that branched off one that branched off it.
            let (child, grandchild) = (
                try await bench.debate { $0 = Self.draft(daysFromNow: 100) },
                try await bench.debate { $0 = Self.draft(daysFromNow: 100) }
            )
            for (of, parent) in [(child, chain), (grandchild, child)] {
                _ = try await bench.pool.execute(
                    "UPDATE debates SET parent_id = \(parent.debate.text), branch_point = 0 WHERE id = \(of.debate.text)"
                )
            }
            try await bench.end(child.debate)
            #expect(try await Self.reason(bench) == "read by an open branch: \(chain.debate)")
            try await bench.end(grandchild.debate)

            #expect(try await store.isRemoved(chain.debate) == false)
            #expect(try await Self.reason(bench) == nil)
            for gone in [chain, open] { #expect(try await store.isRemoved(gone.debate)) }
            #expect(try await store.isRemoved(child.debate) == false, "it lies in no month's partition")
            #expect(try await bench.events(chain.debate).isEmpty)
            #expect(try await bench.receipts.receipt(of: chain.debate)?.document == receipt.document)
            #expect(try await bench.record(chain.debate).tail == chain.tail, "where it ended stays")
            #expect(
                try await bench.count("event_partitions WHERE removed_at IS NOT NULL AND emptied_to <> end_id") == 0)
            let told = try await bench.pool.query(
                "SELECT debates, events FROM event_partitions WHERE name = 'debate_events_first'")[0]
            #expect(try told.int("debates") == 2 && told.int("events") == 5)
            #expect(try await LogWalk(pool: bench.pool).contradictions().isEmpty)
            // Every month is gone here; what comes now waits in the default partition, and loses nothing.
            let late = try await Self.ended(bench)
            #expect(try await bench.events(late.chain.debate).count == 3)
        }
    }

    @Test("what lies in no month goes debate by debate, a bounded number at once, by the same rules")
    func strays() async throws {
        try await Bench.with { bench in
            let store = EventRetentionStore(pool: bench.pool)
            try await Self.age(bench)
            _ = try await store.expire(days: 1)
            var old: [TestChain] = []
            for _ in 0..<3 { old.append(try await bench.debate { $0 = Self.draft(daysFromNow: -90) }) }
            for chain in old.dropLast() { try await bench.end(chain.debate) }
            let young = try await bench.debate()
            try await bench.end(young.debate)
            #expect(
                try await bench.pool.query(
                    "SELECT remove_stray_logs(debate_id_floor(now() - interval '30 days'), 1) AS n")[0]
                    .int("n") == 1)
            #expect(try await store.expire(days: 30).strays == 1)
            #expect(try await store.expire(days: 30).strays == 0, "one is open")
            for kept in [young, old[2]] { #expect(try await bench.events(kept.debate).isEmpty == false) }
            for chain in old.dropLast() {
                #expect(try await bench.events(chain.debate).isEmpty)
                #expect(try await store.isRemoved(chain.debate))
            }
        }
    }

    @Test("a hold and a removal wait for each other: what is held in that moment is either kept or was gone before")
    func holdOrRemoval() async throws {
        try await Bench.with(poolSize: 6) { bench in
            let (chain, receipt) = try await Self.ended(bench)
            _ = try await bench.pool.execute("DELETE FROM receipt_log_queue")
            try await Self.age(bench)
            // A hold that has not committed yet: the removal must wait for it, and then see it.
            let removed = try await withThrowingTaskGroup(of: Bool.self) { group in
                try await bench.pool.withTransaction { transaction in
                    _ = try await transaction.execute(
                        "UPDATE receipts SET legal_hold = true WHERE id = \(receipt.id.text)")
                    group.addTask {
                        try await EventRetentionStore(pool: bench.pool).expire(days: 1).removed.contains(
                            "debate_events_first")
                    }
                    try await bench.pool.loop.sleep(for: .milliseconds(300))
                }
                return try await group.next() ?? true
            }
            #expect(!removed)
            #expect(try await bench.events(chain.debate).count == 3)
        }
    }
}

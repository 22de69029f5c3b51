import Contracts
import Crypto
import Domain
import Ledger
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing

/// The receipt log in Postgres: whoever writes it, and whatever becomes of an answer, its numbers have no gap and no leaf is
/// there twice.
@Suite("The receipt log", .needsPostgres)
struct ReceiptLogTests {
    private static let lease = Duration.seconds(60)

    /// Receipts that wait, as many as asked for.
    private static func queue(_ count: Int, _ bench: Bench, tag: String = "") async throws {
        let ids = try (0..<count).map { _ in
            ReceiptID(milliseconds: WallClock.nowMilliseconds(), random: try RandomBytes.make(10)).text
        }
        let sums = ids.map { Hex.encode(SHA256.hash($0 + tag)) }
        _ = try await bench.pool.execute(
            """
            INSERT INTO receipt_log_queue (receipt_id, checksum, redacted_checksum)
            SELECT q.*, NULL FROM unnest(\(ids), \(sums)) AS q
            """)
    }

    private static func elect(_ store: ReceiptSequencerStore, _ name: String) async throws -> ReceiptLogTerm? {
        guard case .elected(let term) = try await store.elect(name, lease: lease) else { return nil }
        return term
    }

    /// Everything that must hold of a log, whatever happened.
    private static func audit(_ bench: Bench, leaves: Int) async throws {
        let reader = ReceiptLogReader(pool: bench.pool)
        var (frontier, seen) = (MerkleFrontier(), Set<String>())
        while case let page = try await reader.entries(from: frontier.size, size: .max, limit: 1000), !page.isEmpty {
            for entry in page {
                #expect(entry.index == frontier.size, "a gap")
                #expect(seen.insert(entry.receipt.text).inserted, "a leaf twice")
                frontier.append(MerkleTree.leaf(entry.leaf))
            }
        }
        #expect(frontier.size == Int64(leaves))
        let state = try await reader.state()
        #expect(state.size == frontier.size && state.frontier == frontier.hashes.flatMap { $0 })
        #expect(try await bench.count("receipt_log_queue") == 0)
        // Every part is there: every leaf of the tree can be proven.
        for index in [0, frontier.size / 2, frontier.size - 1] where frontier.size > 0 {
            let proof = try #require(MerkleProof.inclusion(of: index, in: frontier.size))
            let entry = try #require(try await reader.entries(from: index, size: .max, limit: 1).first)
            #expect(
                MerkleProof.includes(
                    leaf: MerkleTree.leaf(entry.leaf), index: index, size: frontier.size,
                    path: try await reader.path(proof), root: frontier.root))
        }
    }

    @Test("the receipt of a debate that ends waits for the log, gets a number, and is proven under a stored head")
    func one() async throws {
        try await Bench.with { bench in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let receipt = try chain.receipt()
            let (batch, conclusion) = chain.end(epoch: 1, receipt: receipt)
            _ = try await bench.log.conclude(batch, conclusion)
            let (store, reader) = (ReceiptSequencerStore(pool: bench.pool), ReceiptLogReader(pool: bench.pool))
            #expect(try await reader.status().waiting == 1)
            #expect(try await reader.head() == nil)
            let term = try #require(try await Self.elect(store, "one"))
            let waiting = try await store.waiting()
            #expect(waiting == [ReceiptLeaf(receipt: receipt.id, checksum: receipt.checksum, redactedChecksum: nil)])
            let next = try #require(try await store.append(waiting, to: term, lease: Self.lease))
            #expect(next.newestChecksum == receipt.checksum)
            let head = TreeHead(
                origin: next.origin, size: 1, root: next.frontier.root, at: Timestamp(milliseconds: 1_790_000_000_000))
            #expect(try await store.store(head, of: next))
            #expect(try await store.store(head, of: next), "again, after a lost answer")
            #expect(try await reader.head() == head)
            #expect(try await reader.entry(of: receipt.id)?.index == 0)
            let status = try await reader.status()
            #expect(status.leaves == 1 && status.waiting == 0 && status.lag == .zero)
            try await Self.audit(bench, leaves: 1)
        }
    }

    @Test("one is elected at a time; who was replaced changes nothing any more")
    func fence() async throws {
        try await Bench.with { bench in
            let store = ReceiptSequencerStore(pool: bench.pool)
            try await Self.queue(3, bench)
            let old = try #require(try await Self.elect(store, "one"))
            #expect(try await Self.elect(store, "two") == nil)
            _ = try await bench.pool.execute("UPDATE receipt_log_state SET expires_at = now() - interval '1 second'")
            let new = try #require(try await Self.elect(store, "two"))
            #expect(new.epoch == old.epoch + 1)
            let waiting = try await store.waiting()
            #expect(try await store.append(waiting, to: old, lease: Self.lease) == nil)
            #expect(try await bench.count("receipt_log") == 0)
            let next = try #require(try await store.append(waiting, to: new, lease: Self.lease))
            #expect(try await store.append([], to: new, lease: Self.lease) == nil, "a term is used once")
            let head = TreeHead(origin: old.origin, size: 3, root: next.frontier.root, at: Timestamp(milliseconds: 1))
            #expect(try await !store.store(head, of: old))
            try await store.resign(next)
            #expect(try await Self.elect(store, "one") != nil)
            try await Self.audit(bench, leaves: 3)
        }
    }

    @Test("an append whose answer was lost is found by the next election, and not made again")
    func lostAnswer() async throws {
        try await Bench.with { bench in
            let port = try await bench.pool.query("SELECT inet_server_port()::bigint AS port")[0].int("port")
            let relay = try LossyRelay(upstreamPort: UInt16(port))
            var configuration = bench.pool.configuration
            let dsn = configuration.dsn.reveal()
            configuration.dsn = Secret("\(dsn)\(dsn.contains("?") ? "&" : "?")host=127.0.0.1&port=\(relay.port)")
            let pool = PGPool(configuration: configuration, loop: bench.pool.loop, log: .disabled)
            await pool.start()
            let store = ReceiptSequencerStore(pool: pool)
            try await Self.queue(5, bench)
            let term = try #require(try await Self.elect(store, "one"))
            let waiting = try await store.waiting()
            relay.loseAnswer(to: Array(waiting[0].receipt.text.utf8))
            await #expect(throws: StorageError.self) { try await store.append(waiting, to: term, lease: Self.lease) }
            #expect(relay.losses == 1)
            let again = try #require(try await Self.elect(store, "one"))
            #expect(again.frontier.size == 5 && again.epoch == term.epoch + 1)
            #expect(try await store.waiting().isEmpty)
            try await Self.audit(bench, leaves: 5)
            await pool.close()
            relay.close()
        }
    }

    @Test(
        "sequencers that are elected over each other all the time leave a log without gap or double", arguments: 1...3)
    func storm(seed: Int) async throws {
        try await Bench.with(poolSize: 8) { bench in
            let batches = 25
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for number in 0..<batches { try await Self.queue(1 + number % 7, bench) } }
                for name in 0..<4 {
                    group.addTask {
                        let store = ReceiptSequencerStore(pool: bench.pool)
                        var random = SeededRandom(seed: UInt64(seed * 10 + name))
                        for _ in 0..<30 {
                            // Whoever asks under this name is elected: two of them share each.
                            guard let term = try await Self.elect(store, "name-\(name / 2)") else {
                                _ = try await bench.pool.execute(
                                    "UPDATE receipt_log_state SET expires_at = '-infinity'")
                                continue
                            }
                            let waiting = try await store.waiting(limit: 1 + Int(random.next() % 9))
                            var next = try await store.append(waiting, to: term, lease: Self.lease)
                            if random.next() % 2 == 0, let held = next {
                                next = try await store.append(
                                    try await store.waiting(limit: 3), to: held, lease: Self.lease)
                            }
                        }
                    }
                }
                do { try await group.waitForAll() } catch { Issue.record("\(error)") }
            }
            let store = ReceiptSequencerStore(pool: bench.pool)
            _ = try await bench.pool.execute("UPDATE receipt_log_state SET expires_at = '-infinity'")
            var term = try #require(try await Self.elect(store, "last"))
            while case let waiting = try await store.waiting(), !waiting.isEmpty {
                term = try #require(try await store.append(waiting, to: term, lease: Self.lease))
            }
            try await Self.audit(bench, leaves: (0..<batches).reduce(0) { $0 + 1 + $1 % 7 })
        }
    }

    @Test("the tables refuse to change or forget a leaf, a part or a head")
    func appendOnly() async throws {
        try await Bench.with { bench in
            let store = ReceiptSequencerStore(pool: bench.pool)
            try await Self.queue(2, bench)
            let term = try #require(try await Self.elect(store, "one"))
            let next = try #require(try await store.append(try await store.waiting(), to: term, lease: Self.lease))
            let head = TreeHead(
                origin: next.origin, size: 2, root: next.frontier.root, at: Timestamp(milliseconds: 1_790_000_000_000))
            #expect(try await store.store(head, of: next))
            for sql: SQL in [
                "DELETE FROM receipt_log WHERE leaf_index = 1", "UPDATE receipt_log SET leaf = 'x'",
                "DELETE FROM receipt_log_nodes", "UPDATE receipt_log_nodes SET hash = hash",
                "UPDATE receipt_log_heads SET document = 'x'", "DELETE FROM receipt_log_heads",
            ] {
                await #expect(throws: PGError.self, "\(sql.text)") { try await bench.pool.execute(sql) }
            }
            try await Self.audit(bench, leaves: 2)
        }
    }

    @Test("a restore begins another life of the log: the same leaves, another origin")
    func generations() async throws {
        try await Bench.with { bench in
            let store = ReceiptSequencerStore(pool: bench.pool)
            try await Self.queue(2, bench)
            let term = try #require(try await Self.elect(store, "one"))
            let next = try #require(try await store.append(try await store.waiting(), to: term, lease: Self.lease))
            let head = TreeHead(
                origin: next.origin, size: 2, root: next.frontier.root, at: Timestamp(milliseconds: 1_790_000_000_000))
            #expect(try await store.store(head, of: next))
            _ = try await InstallationStore(pool: bench.pool).raiseGeneration()
            let later = try #require(try await Self.elect(store, "one"))
            #expect(later.origin != term.origin && later.frontier == next.frontier)
            #expect(later.headSize == nil, "its first head is owed")
            #expect(try await ReceiptLogReader(pool: bench.pool).head() == nil, "no head of another life is shown")
        }
    }

    @Test("receipts go when their time has come, but for those on hold and those that are not in the log")
    func retention() async throws {
        try await Bench.with { bench in
            let retention = ReceiptRetentionStore(pool: bench.pool)
            var receipts: [StoredReceipt] = []
            for _ in 0..<3 {
                var chain = try await bench.held(by: try await bench.runner()).chain
                let receipt = try chain.receipt()
                let (batch, conclusion) = chain.end(epoch: 1, receipt: receipt)
                _ = try await bench.log.conclude(batch, conclusion)
                receipts.append(receipt)
            }
            #expect(try await retention.hold(receipts[1].id, true, reason: "a claim"))
            #expect(try await retention.deleteExpired(days: 0) == 0, "none is in the log")
            let store = ReceiptSequencerStore(pool: bench.pool)
            let term = try #require(try await Self.elect(store, "one"))
            _ = try await store.append(try await store.waiting(limit: 2), to: term, lease: Self.lease)
            let waiting = try #require(try await store.waiting().first?.receipt)
            _ = try await bench.pool.execute("UPDATE receipts SET created_at = now() - interval '10 days'")
            #expect(try await retention.deleteExpired(days: 11) == 0)
            let deleted = try await retention.deleteExpired(days: 9)
            let left = try await bench.receipts.list(ReceiptFilter(within: .installation)).items.map(\.id)
            #expect(deleted == receipts.count { $0.id != receipts[1].id && $0.id != waiting })
            #expect(Set(left) == [receipts[1].id, waiting])
            for receipt in receipts {
                #expect(try await retention.isExpired(receipt.debate) == !left.contains(receipt.id))
            }
            await #expect(throws: PGError.self) {
                try await bench.pool.execute("DELETE FROM receipts WHERE id = \(receipts[1].id.text)")
            }
            #expect(try await retention.hold(receipts[1].id, false, reason: nil))
            #expect(try await bench.receipts.receipt(receipts[1].id, within: .installation)?.isOnLegalHold == false)
        }
    }
}

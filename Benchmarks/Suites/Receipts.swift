import Contracts
import Crypto
import Domain
import Ledger
import Platform
import PostgresClient
import Sockets
import Storage

/// What receipts cost: checking one, with all its proofs, and putting many into the receipt log.
struct Receipts: Benchmark {
    static let name = "receipts"
    static let about = "checking a receipt, and the sequencer of the receipt log"

    private static let checks = 400
    /// Receipts that wait when a round begins.
    private static let waiting = 20_000
    private static let secret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await checking(bench) + logging(bench)
    }

    // MARK: Checking

    private func checking(_ bench: Bench) async throws -> [Figure] {
        let keys = try KeyRing(current: Self.secret)
        let verifier = ReceiptVerifier(keys: keys)
        let debate = try FinishedDebate(keys: keys)
        let bare = debate.receipt.bytes
        let whole = ReceiptBundle(
            receipt: debate.receipt, events: debate.events,
            log: try debate.logged(among: 100_000, keys.pairs.current)
        ).bytes
        var figures: [Figure] = []
        for (name, file) in [("receipt", bare), ("receipt, \(debate.events.count) events, log proof", whole)] {
            let rounds = try await bench.alternate([{ try Self.check(file, verifier) }])[0]
            let all = rounds.flatMap { $0 }
            figures.append(
                Figure("verify p50, \(name)", all.percentile(50), "ms").with {
                    $0.aim = .atMost(1)
                    $0.note = "\(file.count) bytes, from bytes to verdict, HMAC and Ed25519"
                })
            figures.append(Figure("verify p99, \(name)", all.percentile(99), "ms"))
        }
        return figures
    }

    private static func check(_ file: [UInt8], _ verifier: ReceiptVerifier) throws -> [Double] {
        try (0..<checks).map { _ in
            let began = MonotonicTime.now()
            let found = try verifier.verify(try ReceiptBundle.parse(file))
            guard found.isProven else { throw BenchFailure("the receipt does not verify") }
            return Double(MonotonicTime.now() - began) / 1e6
        }
    }

    // MARK: The log

    private func logging(_ bench: Bench) async throws -> [Figure] {
        try await BenchDatabase.with(bench) { database in
            try await database.withPool(on: bench.loop, size: 4) { pool in
                let fsync = try await bench.stores.measureFsync()
                let pair = try KeyRing(current: Self.secret).pairs.current
                let rounds = try await bench.alternate([{ try await Self.drain(pool, pair) }])[0]
                return [
                    Figure("receipts into the log", medianOf: rounds, "1/s").with {
                        $0.aim = .atLeast(2000)
                        $0.fsyncsPerSecond = fsync
                        $0.note =
                            "\(Self.waiting) waiting, batches of \(ReceiptSequencerStore.maxBatch), a signed head each"
                    }
                ]
            }
        }
    }

    /// What the sequencer does, without its pauses; with a head for each batch, which it would sign once a second.
    private static func drain(_ pool: PGPool, _ pair: Ed25519.PrivateKey) async throws -> Double {
        try await queue(waiting, pool)
        let store = ReceiptSequencerStore(pool: pool)
        let began = MonotonicTime.now()
        guard case .elected(var term) = try await store.elect("bench", lease: .seconds(60)) else {
            throw BenchFailure("not elected")
        }
        let first = term.frontier.size
        while case let leaves = try await store.waiting(), !leaves.isEmpty {
            guard let next = try await store.append(leaves, to: term, lease: .seconds(60)) else {
                throw BenchFailure("fenced")
            }
            term = next
            var head = TreeHead(
                origin: term.origin, size: term.frontier.size, root: term.frontier.root,
                at: Timestamp(milliseconds: WallClock.nowMilliseconds()))
            head.sign(Base64.encode(pair.sign(head.coveredBytes)), keyID: pair.publicKey.id)
            guard try await store.store(head, of: term) else { throw BenchFailure("fenced") }
        }
        let seconds = Double(MonotonicTime.now() - began) / 1e9
        guard term.frontier.size == first + Int64(waiting) else { throw BenchFailure("the log is not whole") }
        return Double(waiting) / seconds
    }

    private static func queue(_ count: Int, _ pool: PGPool) async throws {
        for start in stride(from: 0, to: count, by: 1000) {
            let ids = try (start..<min(start + 1000, count)).map { _ in
                ReceiptID(milliseconds: WallClock.nowMilliseconds(), random: try RandomBytes.make(10)).text
            }
            let sums = ids.map { Hex.encode(SHA256.hash($0)) }
            _ = try await pool.execute(
                """
                INSERT INTO receipt_log_queue (receipt_id, checksum, redacted_checksum)
                SELECT q.* FROM unnest(\(ids), \(sums), \(sums)) AS q
                """)
        }
    }
}

/// A debate of three agents and three rounds, with its receipt: what a usual file holds.
private struct FinishedDebate {
    let events: [SealedEvent]
    let receipt: ReceiptDocument

    init(keys: KeyRing) throws {
        let id = DebateID(milliseconds: 1_790_000_000_000, random: Array(1...10))
        let spec = try DebateSpec(
            topic: "Postgres or MongoDB for a team of three?",
            agents: (1...3).map { AgentSpec(name: "demo-\($0)", provider: .demo, model: "demo") }, rounds: 3)
        var (machine, chain, transcript, events) = (
            DebateMachine(), EventChain(debateID: id), Transcript(), [SealedEvent]()
        )
        func time() -> Timestamp { Timestamp(milliseconds: 1_790_000_000_000 + Int64(events.count) * 100) }
        func append(_ event: DebateEvent) throws {
            try machine.apply(event, at: time())
            let sealed = try chain.seal(event, at: time(), epoch: 1)
            transcript.add(sealed)
            events.append(sealed)
        }
        try append(.debateStart(DebateStart(spec: spec, engineVersion: .current)))
        while true {
            switch machine.due.first {
            case .record(let due): for event in due { try append(event) }
            case .call(let call): try append(ReplyParser.event(for: call, answer: Self.answer(call), attempt: 1))
            case .finish(let outcome):
                let stored = ReceiptIssuer.issue(
                    id: ReceiptID(milliseconds: 1_790_000_000_000, random: Array(1...10)), debateID: id,
                    outcome: outcome, head: chain.tail, transcript: transcript, at: time(),
                    salt: try RandomBytes.make(ReceiptIssuer.saltLength), keys: keys)
                (self.events, receipt) = (events, try ReceiptDocument.parse(stored.document))
                return
            case nil: throw BenchFailure("the machine is stuck")
            }
        }
    }

    private static func answer(_ call: PlannedCall) -> Answer {
        let text =
            switch call.phase {
            case .propose, .revise: String(repeating: "Postgres, because it is boring. ", count: 12)
            case .critique: String(repeating: "It does not say why. ", count: 8) + "\nSEVERITY: 0.4"
            case .judge: "DECISION: Postgres\nCONFIDENCE: 0.7\nDISSENT: none"
            case .ballot, .vote: "CHOICE: demo-1\nCONFIDENCE: 0.8\nCONTINUE: yes\nREASONING: It is clear."
            }
        return Answer(
            content: text, provider: call.agent.provider, model: call.agent.model,
            usage: Usage(inputTokens: 300, outputTokens: 120, cost: MicroUSD(900)), truncated: false)
    }

    /// Its place in a log of so many leaves.
    func logged(among count: Int, _ pair: Ed25519.PrivateKey) throws -> ReceiptBundle.LogProof {
        guard let leaf = ReceiptLeaf(receipt) else { throw BenchFailure("no leaf") }
        var (frontier, nodes) = (MerkleFrontier(), [MerkleNode.Place: [UInt8]]())
        for number in 0..<count {
            let bytes = number == count / 3 ? leaf.bytes : Array("\(number)".utf8)
            for node in frontier.append(MerkleTree.leaf(bytes)) { nodes[node.place] = node.hash }
        }
        var head = TreeHead(
            origin: TreeHead.origin(log: "bench", generation: 1), size: frontier.size, root: frontier.root,
            at: Timestamp(milliseconds: 1_790_000_000_000))
        head.sign(Base64.encode(pair.sign(head.coveredBytes)), keyID: pair.publicKey.id)
        guard let path = MerkleProof.inclusion(of: Int64(count / 3), in: frontier.size)?.path(nodes) else {
            throw BenchFailure("no proof")
        }
        return .init(index: Int64(count / 3), inclusion: path, head: head)
    }
}

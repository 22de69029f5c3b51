import Domain
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@Suite("Erasing what was said", .needsPostgres)
struct ErasureTests {
    static let needle = "xylophone"

    /// A debate that is over, in which everything that can hold a text holds the needle.
    static func ended(_ bench: Bench, as status: DebateStatus = .completed) async throws -> TestChain {
        let runner = try await bench.runner()
        let chain = try await bench.debate { draft in
            draft.topic = "Is the \(needle) worth it?"
            draft.context = "We own one \(needle)."
            draft.slug = "is-the-\(needle)-worth-it-\(draft.slug)"
            draft.metadata = #"{"why":"\#(needle)"}"#
            draft.chain = TestChain(draft.chain.debate)
            draft.start = draft.chain.next(
                "debate_start", epoch: 0, data: #"{"debate_id":"\#(draft.chain.debate)","task":"\#(needle)"}"#)
            draft.idempotency = IdempotentRequest(
                principal: "tester-\(needle)", key: draft.slug, requestHash: .init(repeating: 7, count: 32),
                answer: StoredAnswer(status: 200, body: Array(needle.utf8)))
        }
        guard let claim = try await bench.runs.claim(chain.debate, runner: runner) else { throw Surprise("no claim") }
        var log = TestChain(chain.debate, tail: chain.tail)
        let batch = EventBatch(
            debate: chain.debate, epoch: claim.epoch, previous: log.tail,
            events: [
                log.next("agent_message", epoch: claim.epoch, agent: "demo-1", data: #"{"content":"\#(needle)!"}"#),
                log.next("user_message", epoch: claim.epoch, data: #"{"author":"ann","content":"\#(needle)?"}"#),
            ])
        _ = try await bench.log.append(batch, intents: [CallKey.first.intent, CallKey.second.intent])
        _ = try await bench.log.append(
            log.batch(epoch: claim.epoch, outcomes: [.answered(chain.debate, CallKey.first.attempt(), "A \(needle).")]))
        _ = try await bench.command(.remark(Remark("More \(needle)!")), of: chain.debate)
        var receipt = try log.receipt()
        receipt = StoredReceipt(
            id: receipt.id, debate: receipt.debate, document: Array(#"{"final_answer":"\#(needle)"}"#.utf8),
            verdict: receipt.verdict, confidence: receipt.confidence, checksum: receipt.checksum, isSigned: true,
            createdAt: receipt.createdAt)
        let (end, conclusion) = log.end(
            status, epoch: claim.epoch, receipt: receipt, answer: "Buy the \(needle).", isKept: status == .completed)
        _ = try await bench.log.conclude(end, conclusion)
        return log
    }

    static func reseal(_ receipt: StoredReceipt) -> StoredReceipt {
        StoredReceipt(
            id: receipt.id, debate: receipt.debate, document: Array(#"{"erased":true}"#.utf8),
            verdict: receipt.verdict, confidence: receipt.confidence, checksum: String(repeating: "cd", count: 32),
            isSigned: false, createdAt: receipt.createdAt)
    }

    /// Every table of the schema in which any column of any row still has the text.
    static func tables(_ bench: Bench, holding text: String) async throws -> [String] {
        let names = try await bench.pool.query(
            """
            SELECT relname::text AS name FROM pg_class
            WHERE relkind IN ('r', 'v') AND relnamespace = current_schema()::regnamespace ORDER BY relname
            """
        ).map { try $0.text("name") }
        var found: [String] = []
        for name in names {
            let columns = try await bench.pool.query(
                """
                SELECT attname::text AS name, atttypid = 'bytea'::regtype AS is_bytes FROM pg_attribute
                WHERE attrelid = \(name)::regclass AND attnum > 0 AND NOT attisdropped
                """)
            let texts = try columns.map { column in
                let quoted = "\"\(try column.text("name"))\""
                return try column.bool("is_bytes")
                    ? "coalesce(encode(\(quoted), 'escape'), '')" : "coalesce(\(quoted)::text, '')"
            }
            let rows = try await bench.pool.query(
                """
                SELECT count(*) AS n FROM \(raw: "\"\(name)\"")
                WHERE position(\(text) IN \(raw: texts.joined(separator: " || ' ' || "))) > 0
                """)
            if try rows[0].int("n") > 0 { found.append(name) }
        }
        return found
    }

    @Test("leaves not one word in any table, and every number and hash where it was")
    func everything() async throws {
        try await Bench.with { bench in
            let chain = try await Self.ended(bench)
            let before = try await bench.events(chain.debate)
            let costs = try await bench.debates.costs(of: chain.debate)
            let places = try await Self.tables(bench, holding: Self.needle)
            #expect(
                Set([
                    "agent_calls", "debate_commands", "debate_events_first", "debates", "idempotency_keys", "receipts",
                    "knowledge_items",
                ]).isSubset(of: places), "the test looks for nothing: \(places)")

            let store = ErasureStore(pool: bench.pool)
            let outcome = try await store.erase(chain.debate) { Self.reseal($0) }
            #expect(outcome == .erased(events: before.count))
            #expect(try await Self.tables(bench, holding: Self.needle).isEmpty)
            #expect(try await Self.tables(bench, holding: "tester").isEmpty)

            let after = try await bench.events(chain.debate)
            #expect(after.allSatisfy { $0.data.isEmpty && $0.salt.isEmpty })
            #expect(after.map(\.hash) == before.map(\.hash) && after.map(\.dataHash) == before.map(\.dataHash))
            #expect(after.map(\.call) == before.map(\.call) && after.map(\.at) == before.map(\.at))
            #expect(try await bench.debates.costs(of: chain.debate) == costs)
            #expect(try await LogWalk(pool: bench.pool).contradictions().isEmpty)
            let record = try await bench.record(chain.debate)
            #expect(record.erasedAt != nil && record.summary.topic == "[erased]" && record.status == .completed)
            #expect(try await bench.receipts.receipt(of: chain.debate)?.document == Array(#"{"erased":true}"#.utf8))

            #expect(try await store.erase(chain.debate) { Self.reseal($0) } == .alreadyErased)
        }
    }

    @Test("leaves the debate beside it as it was")
    func neighbour() async throws {
        try await Bench.with { bench in
            let (one, other) = (try await Self.ended(bench), try await Self.ended(bench))
            let before = try await bench.record(other.debate)
            let events = try await bench.events(other.debate)
            _ = try await ErasureStore(pool: bench.pool).erase(one.debate) { Self.reseal($0) }
            #expect(try await bench.record(other.debate) == before)
            #expect(try await bench.events(other.debate) == events)
        }
    }

    @Test("does nothing at all when it is cut short")
    func cutShort() async throws {
        struct Cut: Error {}
        try await Bench.with { bench in
            let chain = try await Self.ended(bench)
            let (record, events) = (try await bench.record(chain.debate), try await bench.events(chain.debate))
            await #expect(throws: Cut.self) {
                _ = try await ErasureStore(pool: bench.pool).erase(chain.debate) { _ in throw Cut() }
            }
            #expect(try await bench.record(chain.debate) == record)
            #expect(try await bench.events(chain.debate) == events)
        }
    }

    @Test("refuses a debate that goes on, one on legal hold, and one that is not there")
    func refusals() async throws {
        try await Bench.with { bench in
            let store = ErasureStore(pool: bench.pool)
            let queued = try await bench.debate()
            #expect(try await store.erase(queued.debate) { Self.reseal($0) } == .notEnded(.queued))
            let (running, _) = try await bench.held(by: try await bench.runner())
            #expect(try await store.erase(running.debate) { Self.reseal($0) } == .notEnded(.running))
            let held = try await Self.ended(bench)
            _ = try await bench.pool.execute("UPDATE receipts SET legal_hold = true")
            #expect(try await store.erase(held.debate) { Self.reseal($0) } == .onLegalHold)
            #expect(try await bench.record(held.debate).erasedAt == nil)
            #expect(try await store.erase(try Draft().chain.debate) { Self.reseal($0) } == .notFound)
        }
    }

    @Test("a receipt can be changed by nothing else, and by it not in what it decided")
    func receiptGuard() async throws {
        try await Bench.with { bench in
            let chain = try await Self.ended(bench)
            await #expect(throws: PGError.self) {
                _ = try await bench.pool.execute("UPDATE receipts SET document = 'x'")
            }
            await #expect(throws: PGError.self) {
                try await bench.pool.withTransaction { transaction in
                    _ = try await transaction.query(
                        "SELECT set_config('aragora.erased_debate', \(chain.debate.text), true)")
                    _ = try await transaction.query("UPDATE receipts SET verdict = 'NEEDS_REVIEW'")
                }
            }
        }
    }

    @Test("an answer that comes after the erasure is counted, and not kept")
    func lateAnswer() async throws {
        try await Bench.with { bench in
            let chain = try await Self.ended(bench)
            #expect(try await bench.callState(chain.debate, .second) == "unknown")
            _ = try await ErasureStore(pool: bench.pool).erase(chain.debate) { Self.reseal($0) }
            try await bench.runs.settle([
                .answered(chain.debate, CallKey.second.attempt(), "A late \(Self.needle).")
            ])
            #expect(try await bench.callState(chain.debate, .second) == "answered")
            #expect(try await Self.tables(bench, holding: Self.needle).isEmpty)
            #expect(try await bench.debates.costs(of: chain.debate).first?.usage.cost == MicroUSD(60))
        }
    }

    @Test("takes a person's remarks out of the debate of another, and nothing else")
    func remarks() async throws {
        try await Bench.with { bench in
            let chain = try await Self.ended(bench)
            let reader = PersonalDataReader(pool: bench.pool)
            let found = try await reader.foreignEvents(of: "ann", after: nil)
            #expect(found.map(\.seq) == [3])
            #expect(try await reader.foreignEvents(of: "ann", after: found.last).isEmpty)
            #expect(try await reader.foreignEvents(of: "bob", after: nil).isEmpty)
            #expect(try await reader.debates(of: .user("ann"), after: nil).isEmpty)

            let store = ErasureStore(pool: bench.pool)
            let version = try await bench.record(chain.debate).version
            #expect(try await bench.debates.version(of: chain.debate, within: .installation) == version)
            #expect(try await store.eraseRemarks(of: "ann", in: chain.debate) == .erased(events: 1))
            #expect(try await bench.record(chain.debate).version != version)
            let events = try await bench.events(chain.debate)
            #expect(events.filter(\.data.isEmpty).map(\.seq) == [3])
            #expect(try await bench.count("debate_commands WHERE author = 'ann' OR content <> ''") == 0)
            #expect(try await reader.foreignEvents(of: "ann", after: nil).isEmpty)
            #expect(try await bench.record(chain.debate).erasedAt == nil)
        }
    }

    @Test("finds everything of a user or an organization, a page at a time")
    func pages() async throws {
        try await Bench.with { bench in
            var mine: [DebateID] = []
            for _ in 1...(PersonalDataReader.pageSize + 3) { mine.append(try await bench.debate().debate) }
            let other = try await bench.debate { $0.organization = "acme" }
            let reader = PersonalDataReader(pool: bench.pool)
            let first = try await reader.debates(of: .user("tester"), after: nil)
            let second = try await reader.debates(of: .user("tester"), after: first.last?.id)
            #expect(first.count == PersonalDataReader.pageSize && second.count == 4)
            #expect((first + second).map(\.id.text) == (mine + [other.debate]).map(\.text).sorted())
            #expect(try await reader.debates(of: .organization("acme"), after: nil).map(\.id) == [other.debate])
            #expect(try await reader.debates(of: .debate(mine[0]), after: nil).map(\.id) == [mine[0]])
        }
    }
}

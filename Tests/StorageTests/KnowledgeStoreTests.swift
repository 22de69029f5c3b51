import Contracts
import Domain
import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

/// What is kept of debates, and found again.
@Suite("Knowledge", .needsPostgres, .timeLimit(.minutes(1)))
struct KnowledgeStoreTests {
    /// A debate that concluded something that is kept.
    @discardableResult
    static func concluded(
        _ bench: Bench, _ topic: String, _ answer: String, organization: String? = nil, isKept: Bool = true
    ) async throws -> DebateID {
        let runner = try await bench.runner()
        let chain = try await bench.debate { draft in
            draft.topic = topic
            draft.organization = organization
        }
        guard let claim = try await bench.runs.claim(chain.debate, runner: runner) else { throw Surprise("no claim") }
        var log = TestChain(chain.debate, tail: chain.tail)
        let (batch, conclusion) = log.end(epoch: claim.epoch, answer: answer, isKept: isKept)
        #expect(try await bench.log.conclude(batch, conclusion) == .appended)
        return chain.debate
    }

    static func similar(
        _ bench: Bench, _ question: String, in organization: OrganizationID = .default, demo: Bool = true,
        maxAgeDays: Int = 36_500, deadline: Duration = .seconds(5)
    ) async throws -> [KnowledgeItem] {
        try await KnowledgeStore(pool: bench.pool).similar(
            to: question, in: organization, demo: demo, maxAgeDays: maxAgeDays, limit: RecalledConclusion.maximum,
            deadline: deadline)
    }

    @Test("the end of a debate keeps its conclusion, once, and only when it is to be kept")
    func kept() async throws {
        try await Bench.with { bench in
            let kept = try await Self.concluded(bench, "Should we move to Postgres?", "Yes, this year.")
            try await Self.concluded(bench, "Should we move to Postgres soon?", "No.", isKept: false)
            let page = try await KnowledgeStore(pool: bench.pool).list(KnowledgeFilter(), in: .default)
            #expect(page.total == 1)
            let item = try #require(page.items.first)
            #expect(item.id == KnowledgeID(conclusionOf: kept) && item.debate == kept && item.kind == .conclusion)
            #expect(item.content == "Yes, this year." && item.question == "Should we move to Postgres?")
            #expect(item.confidence == Ratio(0.8125) && item.isDemo && item.createdBy == "tester")
        }
    }

    @Test("a conclusion that can not be kept is reported, and its debate has ended all the same")
    func failing() async throws {
        try await Bench.with { bench in
            let problems = Lock<[String?]>([])
            let log = PostgresEventLog(
                pool: bench.pool, onKept: { problem in problems.withLock { $0.append(problem) } })
            let runner = try await bench.runner()
            var (chain, holding) = try await bench.held(by: runner)
            _ = try await bench.pool.execute("ALTER TABLE knowledge_items ADD CHECK (content <> 'Postgres')")
            let (batch, conclusion) = chain.end(epoch: holding.epoch, receipt: try chain.receipt(), isKept: true)
            #expect(try await log.conclude(batch, conclusion) == .appended)
            #expect(try await bench.record(chain.debate).status == .completed)
            #expect(try await bench.receipts.receipt(of: chain.debate) != nil)
            #expect(problems.withLock { $0.count } == 1)
            #expect(problems.withLock { $0[0]?.contains("23514") } == true)
            #expect(try await bench.count("knowledge_items") == 0)
        }
    }

    @Test("similar questions are found by their rare words, the newest of the same question, and others are not")
    func similar() async throws {
        try await Bench.with { bench in
            try await Self.concluded(bench, "Should we move the billing service to Postgres?", "No, keep MySQL.")
            let newer = try await Self.concluded(bench, "Should we move the billing service to Postgres?", "Yes.")
            try await Self.concluded(bench, "Which colour should the bicycle shed have?", "Green.")
            let found = try await Self.similar(bench, "Is Postgres right for our billing service?")
            #expect(found.map(\.debate) == [newer])
            #expect(try await Self.similar(bench, "How many cats are enough?").isEmpty)
            #expect(try await Self.similar(bench, "???").isEmpty)
            #expect(try await Self.similar(bench, "the and of to").isEmpty)
            #expect(try await Self.similar(bench, "'; DROP TABLE debates; -- & | ! <-> :* billing postgres").count == 1)
        }
    }

    @Test("also among thousands with the same words, whether Postgres has statistics or not")
    func frequent() async throws {
        try await Bench.with { bench in
            let wanted = try await Self.concluded(bench, "Should the red team deploy on Friday?", "No.")
            try await Self.fill(bench, 3000)
            for _ in 1...2 {
                let found = try await Self.similar(bench, "May a red team deploy its work on a Friday?")
                #expect(found.first?.debate == wanted)
                _ = try await bench.pool.execute("ANALYZE knowledge_items")
            }
            // Every word of it is in every item.
            #expect(try await Self.similar(bench, "Should the team deploy?").count == 3)
        }
    }

    @Test("what is known without end is counted and searched as far as was set, and found whole where it is less")
    func bounded() async throws {
        try await Bench.with { bench in
            try await Self.fill(bench, KnowledgeStore.maxCounted + 50)
            let store = KnowledgeStore(pool: bench.pool)
            let all = try await store.list(KnowledgeFilter(), in: .default)
            #expect(all.items.count == 20 && all.total == KnowledgeStore.maxCounted + 1)
            let common = try await store.search("blue team", in: .default, limit: 10, offset: 0)
            #expect(common.items.count == 10 && common.total == KnowledgeStore.maxScored)
            let rare = try await store.search("blue 4711", in: .default, limit: 10, offset: 0)
            #expect(rare.items.count == 1 && rare.total == 1)
        }
    }

    /// Conclusions on the same few words, each of a debate of its own.
    private static func fill(_ bench: Bench, _ count: Int) async throws {
        _ = try await bench.pool.batch([
            """
            INSERT INTO debates (id, slug, topic, spec, agents, providers, rounds, consensus, timeout_seconds, demo,
                                 created_by, created_at)
            SELECT 'dbt_' || lpad(n::text, 26, '0'), 'filler-' || n, 'x', '{}', '{}', '{}', 1, 'majority', 60, false, 'x',
                   now() FROM generate_series(1, \(count)) AS n
            """,
            """
            INSERT INTO knowledge_items (id, org_id, kind, debate_id, question, content, confidence, created_by, created_at)
            SELECT 'kno_' || lpad(n::text, 26, '0'), 'org_default', 'conclusion', 'dbt_' || lpad(n::text, 26, '0'),
                   'Should the blue team deploy on day ' || n || '?', 'Not on a Friday.', 0.9, 'x', now()
            FROM generate_series(1, \(count)) AS n
            """,
        ])
    }

    @Test("nobody finds what another organization knows, what demonstrations said, or what is too old")
    func apart() async throws {
        try await Bench.with { bench in
            let other = OrganizationID(milliseconds: 5, random: .init(repeating: 1, count: 10))
            try await Self.concluded(bench, "Should we buy the xylophone?", "Yes.", organization: other.text)
            #expect(try await Self.similar(bench, "Should we buy a xylophone?").isEmpty)
            #expect(try await Self.similar(bench, "Should we buy a xylophone?", in: other).count == 1)
            #expect(try await Self.similar(bench, "Should we buy a xylophone?", in: other, demo: false).isEmpty)
            _ = try await bench.pool.execute("UPDATE knowledge_items SET created_at = now() - interval '31 days'")
            #expect(try await Self.similar(bench, "Should we buy a xylophone?", in: other, maxAgeDays: 30).isEmpty)
            let store = KnowledgeStore(pool: bench.pool)
            #expect(try await store.search("xylophone", in: .default, limit: 10, offset: 0).total == 0)
            #expect(try await store.search("xylophone", in: other, limit: 10, offset: 0).items.map(\.score) != [.zero])
            #expect(try await store.counts(in: .default).conclusions == 0)
            #expect(try await store.counts(in: other).conclusions == 1)
            let item = KnowledgeID(conclusionOf: try #require(try await store.list(.init(), in: other).items[0].debate))
            #expect(try await store.item(item, in: .default) == nil)
            #expect(try await store.remove(item, from: .default) == false)
            #expect(try await store.remove(item, from: other))
        }
    }

    @Test("erasing a debate takes its conclusion out of the debates that were shown it, running ones too")
    func erased() async throws {
        try await Bench.with { bench in
            let source = try await ErasureTests.ended(bench)
            let found = try #require(try await Self.similar(bench, "Is a xylophone worth it?").first)
            #expect(found.debate == source.debate)
            var shown: NewDebate.Recall?
            let chain = try await bench.debate { draft in
                let event = draft.chain.next(
                    DebateEvent.recallType, epoch: 0, round: 0, data: #"{"conclusion":"Buy the xylophone."}"#)
                shown = NewDebate.Recall(item: found.id, event: event)
                draft.recalled = [NewDebate.Recall(item: found.id, event: event)]
            }
            #expect(try await bench.record(chain.debate).tail.seq == 2)
            #expect(try await KnowledgeStore(pool: bench.pool).counts(in: .default).recalls == 1)
            let version = try await bench.record(chain.debate).version
            #expect(
                try await PersonalDataReader(pool: bench.pool).debatesShown(conclusionOf: source.debate)
                    == [chain.debate])
            _ = try await ErasureStore(pool: bench.pool).erase(source.debate) { ErasureTests.reseal($0) }
            #expect(try await bench.record(chain.debate).version != version, "it tells less than before")
            #expect(try await ErasureTests.tables(bench, holding: ErasureTests.needle).isEmpty)
            let events = try await bench.events(chain.debate)
            #expect(events.count == 2 && !events[0].isErased && events[1].isErased)
            #expect(events[1].hash == shown?.event.hash)
            #expect(try await Self.similar(bench, "Is a xylophone worth it?").isEmpty)
        }
    }
}

import Domain
import Ledger
import PostgresClient
import Storage
import TestSupport
import Testing

/// The views read field names that Contracts writes; this holds them together.
@Suite(.needsPostgres)
struct TranscriptTests {
    private static let call = CallReference(key: .first, attempt: 1)
    private static let usage = Usage(inputTokens: 1, outputTokens: 2, cost: MicroUSD(3))

    private static func statement(_ content: String) -> Statement {
        Statement(
            agent: "demo-1", provider: .demo, model: "demo", role: .analyst, round: 1, content: content,
            truncated: false,
            usage: usage, call: CallReference(key: CallKey(content), attempt: 1))
    }

    private static let events: [DebateEvent] = [
        .agentMessage(statement("Use Postgres; \"it\u{0301}\" fits.")),
        .critique(
            Critique(
                agent: "demo-2", target: "demo-1", round: 1, content: "Too sure.", severity: Ratio(0.25),
                truncated: false,
                usage: usage, call: CallReference(key: .second, attempt: 1))),
        .revision(statement("Probably Postgres."), original: "Use Postgres"),
        .vote(
            Vote(
                agent: "demo-2", round: 1, choice: "demo-1", reasoning: "Calm.", confidence: Ratio(0.9),
                continueDebate: false,
                usage: usage, call: call)),
        .userMessage(author: "ann", Remark("Hurry.")),
    ]

    private func debate(_ bench: Bench) async throws -> DebateID {
        let (start, holding) = try await bench.held(by: try await bench.runner())
        var chain = EventChain(debateID: holding.debate, tail: start.tail)
        let sealed = try chain.seal(Self.events, at: Timestamp(milliseconds: 1_790_000_000_123), epoch: 1)
        _ = try await bench.log.append(
            EventBatch(debate: holding.debate, epoch: 1, previous: start.tail, events: sealed))
        return holding.debate
    }

    @Test("messages are pages of the log, with who said what in which phase")
    func messages() async throws {
        try await Bench.with { bench in
            let debate = try await debate(bench)
            let page = try await bench.debates.messages(of: debate, offset: 0, limit: 50)
            #expect(page.total == 3)
            #expect(
                page.items.map(\.content) == ["Use Postgres; \"it\u{0301}\" fits.", "Probably Postgres.", "Hurry."])
            #expect(page.items.map(\.agent) == ["demo-1", "demo-1", "ann"])
            #expect(page.items.map(\.role) == ["analyst", "analyst", "user"])
            #expect(page.items.map(\.phase) == ["propose", "revise", "intervention"])
            #expect(page.items.map(\.index) == [0, 1, 2] && page.items.map(\.seq) == [2, 4, 6])
            let last = try await bench.debates.messages(of: debate, offset: 2, limit: 1)
            #expect(last.items == [page.items[2]] && last.total == 3)
        }
    }

    @Test("critiques and votes are tables to whoever looks with psql")
    func views() async throws {
        try await Bench.with { bench in
            _ = try await debate(bench)
            let critique = try await bench.pool.query(
                "SELECT target_agent, content, severity::float8 AS severity FROM critiques")[0]
            #expect(try critique.text("target_agent") == "demo-1" && critique.text("content") == "Too sure.")
            #expect(try critique.double("severity") == 0.25)
            let vote = try await bench.pool.query(
                "SELECT choice, reasoning, confidence::float8 AS confidence, continue_debate FROM votes")[0]
            #expect(try vote.text("choice") == "demo-1" && vote.text("reasoning") == "Calm.")
            #expect(try vote.double("confidence") == 0.9 && !vote.bool("continue_debate"))
        }
    }

    @Test("an erased message keeps its place, without its text")
    func erased() async throws {
        try await Bench.with { bench in
            let debate = try await debate(bench)
            _ = try await bench.pool.execute(
                "UPDATE debate_events SET data = ''::bytea, salt = ''::bytea WHERE seq = 2")
            let page = try await bench.debates.messages(of: debate, offset: 0, limit: 50)
            #expect(page.items.map(\.content) == [nil, "Probably Postgres.", "Hurry."])
        }
    }

    @Test("what Ledger sealed verifies after a round trip")
    func verifies() async throws {
        try await Bench.with { bench in
            let debate = try await debate(bench)
            let stored = try await bench.events(debate)
            var chain = EventChain(debateID: debate, tail: LogTail(seq: 1, hash: stored[0].hash))
            for (event, original) in zip(stored.dropFirst(), Self.events) {
                #expect(chain.seal(original, at: event.at, epoch: 1, salt: event.salt) == event)
            }
        }
    }
}

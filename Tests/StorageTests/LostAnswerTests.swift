import Domain
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing

/// The server committed, the connection died before its answer: what is sent again must be found, not repeated.
@Suite(.needsPostgres)
struct LostAnswerTests {
    /// Stores whose only way to Postgres can lose an answer.
    private func with(_ body: (Bench, _ lossy: Bench, LossyRelay) async throws -> Void) async throws {
        try await Bench.with { bench in
            let port = try await bench.pool.query("SELECT inet_server_port()::bigint AS port")[0].int("port")
            let relay = try LossyRelay(upstreamPort: UInt16(port))
            var configuration = bench.pool.configuration
            let dsn = configuration.dsn.reveal()
            let separator = dsn.contains("?") ? "&" : "?"
            configuration.dsn = Secret("\(dsn)\(separator)host=127.0.0.1&port=\(relay.port)")
            let pool = PGPool(configuration: configuration, loop: bench.pool.loop, log: .disabled)
            await pool.start()
            do {
                try await body(bench, Bench(pool), relay)
                #expect(relay.losses == 1)
            } catch {
                await pool.close()
                throw error
            }
            await pool.close()
            relay.close()
        }
    }

    @Test("an append is sent again with the same bytes and found to be ours")
    func append() async throws {
        try await with { bench, lossy, relay in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let batch = chain.batch(epoch: 1)
            relay.loseAnswer(to: batch.events[0].salt)
            #expect(try await lossy.log.append(batch) == .alreadyApplied)
            #expect(try await bench.events(chain.debate).count == 2)
        }
    }

    @Test("an end whose COMMIT lost its answer is found to be ours")
    func conclude() async throws {
        try await with { bench, lossy, relay in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let (batch, conclusion) = chain.end(epoch: 1)
            relay.loseAnswer(to: batch.events[0].salt, skipping: 1)
            #expect(try await lossy.log.conclude(batch, conclusion) == .alreadyApplied)
            #expect(try await bench.record(chain.debate).status == .completed)
        }
    }

    @Test("a transaction that was cut before its COMMIT is run again")
    func concludeCutEarly() async throws {
        try await with { bench, lossy, relay in
            var chain = try await bench.held(by: try await bench.runner()).chain
            let (batch, conclusion) = chain.end(epoch: 1)
            relay.loseAnswer(to: batch.events[0].salt)
            #expect(try await lossy.log.conclude(batch, conclusion) == .appended)
            #expect(try await bench.record(chain.debate).status == .completed)
        }
    }

    @Test("an own cancel whose answer was lost is still our cancel")
    func cancel() async throws {
        try await with { bench, lossy, relay in
            let debate = try await bench.debate().debate
            let outcome = try await lossy.takeover.end(debate, because: .cancelled) { run in
                var chain = TestChain(run.debate, tail: run.tail)
                let event = chain.next("debate_end", epoch: run.epoch)
                relay.loseAnswer(to: event.salt, skipping: 1)
                return Takeover.Ending(events: [event], conclusion: TestChain.conclusion(.cancelled))
            }
            guard case .ended(let events, let epoch, _) = outcome else { throw Surprise("\(outcome)") }
            #expect(try await bench.events(debate).last == events.last)
            #expect(epoch == 1)
        }
    }

    @Test("a claim's first transaction is not repeated: what was abandoned is named once")
    func begin() async throws {
        try await with { bench, lossy, relay in
            let owner = try await bench.runner()
            let (chain, holding) = try await bench.held(by: owner)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            _ = try await bench.adopt(from: owner)
            let claim = Claim(adopted: chain.debate, epoch: 2)
            let snapshot = try await lossy.runs.begin(claim) { snapshot in
                var chain = TestChain(claim.debate, tail: snapshot.tail)
                let event = chain.next("call_abandoned", epoch: 2)
                relay.loseAnswer(to: event.salt, skipping: 1)
                return [event]
            }
            #expect(snapshot.tail == chain.tail && snapshot.abandoned.count == 1)
            #expect(try await bench.events(chain.debate).map(\.type) == ["debate_start", "call_abandoned"])
        }
    }

    @Test("intents are the same rows again")
    func intents() async throws {
        try await with { bench, lossy, relay in
            let holding = try await bench.held(by: try await bench.runner()).holding
            let intent = CallIntent(
                key: .first, agent: "agent-nobody-else-has", provider: .demo, model: "demo", round: 1)
            relay.loseAnswer(to: Array(intent.agent.utf8), skipping: 1)
            #expect(try await lossy.runs.recordIntents(holding, [intent]).granted == [CallKey.first.attempt()])
            #expect(try await bench.count("agent_calls") == 1)
        }
    }

    @Test("a command is stored once")
    func command() async throws {
        try await with { bench, lossy, relay in
            let debate = try await bench.held(by: try await bench.runner()).chain.debate
            relay.loseAnswer(to: Array("a remark like no other".utf8), skipping: 1)
            #expect(
                try await lossy.command(.remark(Remark("a remark like no other")), of: debate) == .stored(number: 1))
            #expect(try await bench.count("debate_commands") == 1)
        }
    }

    @Test("a create without a key makes one debate")
    func create() async throws {
        try await with { bench, lossy, relay in
            let draft = try Draft()
            relay.loseAnswer(to: draft.start.salt)
            #expect(try await lossy.debates.create(try draft.debate()) == .created)
            #expect(try await bench.count("debates") == 1)
        }
    }
}

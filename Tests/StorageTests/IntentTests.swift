import Domain
import Platform
import PostgresClient
import Sockets
import Storage
import TestSupport
import Testing

/// Calls: intents are decisions and fenced, outcomes are facts and are not.
@Suite(.needsPostgres)
struct IntentTests {
    @Test("grants a first attempt, and the next one after a failure")
    func grants() async throws {
        try await Bench.with { bench in
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            let first = try await bench.runs.recordIntents(holding, [CallKey.first.intent, CallKey.second.intent])
            #expect(first.granted == [CallKey.first.attempt(), CallKey.second.attempt()])
            try await bench.runs.settle([.failed(chain.debate, CallKey.first.attempt())])
            let next = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            #expect(next.granted == [CallKey.first.attempt(2)])
            #expect(try await bench.callState(chain.debate, .first) == "failed")
        }
    }

    @Test("asked again after a lost answer, it grants the same attempt and writes nothing")
    func lostAnswer() async throws {
        try await Bench.with { bench in
            let holding = try await bench.held(by: try await bench.runner()).holding
            let one = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            let two = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            #expect(one == two)
            #expect(try await bench.count("agent_calls") == 1)
        }
    }

    @Test("NO_INTENT_FENCE: who lost the debate gets no intent")
    func fenced() async throws {
        try await Bench.with { bench in
            let zombie = try await bench.runner()
            let holding = try await bench.held(by: zombie).holding
            _ = try await bench.adopt(from: zombie)
            await #expect { try await bench.runs.recordIntents(holding, [CallKey.first.intent]) } throws: {
                $0.isLost(to: 2)
            }
            #expect(try await bench.count("agent_calls") == 0)
        }
    }

    @Test("an ended debate gets no intent")
    func terminal() async throws {
        try await Bench.with { bench in
            var (chain, holding) = try await bench.held(by: try await bench.runner())
            let (batch, conclusion) = chain.end(epoch: 1)
            _ = try await bench.log.conclude(batch, conclusion)
            await #expect { try await bench.runs.recordIntents(holding, [CallKey.first.intent]) } throws: {
                $0.isTerminal(.completed)
            }
        }
    }

    @Test("NO_ANSWER_CHECK: an answered call gets no new attempt; its lowest answered one is the content")
    func answered() async throws {
        try await Bench.with { bench in
            let owner = try await bench.runner()
            let (chain, holding) = try await bench.held(by: owner)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            let rival = try await bench.adopt(from: owner)
            let claim = Claim(adopted: chain.debate, epoch: rival.holding.epoch)
            try await bench.begin(claim)
            // The new holder asks again; then both answer, the old one first.
            #expect(
                try await bench.runs.recordIntents(rival.holding, [CallKey.first.intent]).granted == [
                    CallKey.first.attempt(2)
                ])
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt(), "old")])
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt(2), "new")])
            let result = try await bench.runs.recordIntents(rival.holding, [CallKey.first.intent])
            #expect(result.granted.isEmpty)
            #expect(result.answered.map(\.answer?.content) == ["old"])
            #expect(try await bench.count("agent_calls") == 2)
        }
    }

    @Test("NO_ANSWER_CHECK: an outcome that is being stored is waited for")
    func answerInFlight() async throws {
        try await Bench.with { bench in
            let owner = try await bench.runner()
            let (chain, holding) = try await bench.held(by: owner)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            let rival = try await bench.adopt(from: owner)
            let claim = Claim(adopted: chain.debate, epoch: rival.holding.epoch)
            try await bench.begin(claim)

            let zombie = try await PGConnection.open(bench.pool.configuration, loop: bench.pool.loop, log: .disabled)
            _ = try await zombie.execute("BEGIN")
            _ = try await zombie.execute(
                """
                UPDATE agent_calls SET state = 'answered', content = 'late', answer_provider = 'demo', answer_model = 'm',
                    truncated = false
                """)
            async let result = bench.runs.recordIntents(rival.holding, [CallKey.first.intent])
            try await bench.untilSomebodyWaits()
            _ = try await zombie.execute("COMMIT")
            #expect(try await result.answered.map(\.answer?.content) == ["late"])
            await zombie.close()
        }
    }

    @Test("a call that failed too often is exhausted")
    func exhausted() async throws {
        try await Bench.with { bench in
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            for attempt in 1...PostgresRunStore.maxCallAttempts {
                #expect(
                    try await bench.runs.recordIntents(holding, [CallKey.first.intent]).granted == [
                        CallKey.first.attempt(attempt)
                    ])
                try await bench.runs.settle([.failed(chain.debate, CallKey.first.attempt(attempt))])
            }
            let result = try await bench.runs.recordIntents(holding, [CallKey.first.intent, CallKey.second.intent])
            #expect(result.exhausted == [.first] && result.granted == [CallKey.second.attempt()])
        }
    }

    @Test("a state moves only forward, whoever writes it", arguments: [false, true])
    func forward(isFree: Bool) async throws {
        try await Bench.with { bench in
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt(), "one", isFree: isFree)])
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt(), "two", isFree: isFree)])
            try await bench.runs.settle([.failed(chain.debate, CallKey.first.attempt(), isFree: isFree)])
            let rows = try await bench.pool.query("SELECT state, content, cost_micro_usd FROM agent_calls")
            #expect(try rows.map { try $0.text("content") } == ["one"])
            for state in ["intent", "unknown", "failed"] {
                await #expect(throws: PGError.self) {
                    try await bench.pool.execute(
                        "UPDATE agent_calls SET state = \(state), content = NULL, failure = 'server'")
                }
            }
        }
    }

    @Test("a refusal is a state of its own")
    func refused() async throws {
        try await Bench.with { bench in
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            try await bench.runs.settle([.failed(chain.debate, CallKey.first.attempt(), .refused)])
            #expect(try await bench.callState(chain.debate, .first) == "refused")
        }
    }

    @Test("a late answer corrects an unknown call, also after the end", arguments: [false, true])
    func lateAnswer(isFree: Bool) async throws {
        try await Bench.with { bench in
            let (chain, holding) = try await bench.held(by: try await bench.runner())
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            try await bench.end(chain.debate)
            #expect(try await bench.callState(chain.debate, .first) == "unknown")
            try await bench.runs.settle([.answered(chain.debate, CallKey.first.attempt(), isFree: isFree)])
            #expect(try await bench.callState(chain.debate, .first) == "answered")
            #expect(try await bench.debates.costs(of: chain.debate).map(\.usage.cost) == [MicroUSD(30)])
        }
    }

    @Test("a claim begins by giving up older intents, and names each abandoned call once")
    func begin() async throws {
        try await Bench.with { bench in
            let owner = try await bench.runner()
            let (chain, holding) = try await bench.held(by: owner)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent, CallKey.second.intent])
            try await bench.runs.settle([.answered(chain.debate, CallKey.second.attempt())])
            let rival = try await bench.adopt(from: owner)
            let claim = Claim(adopted: chain.debate, epoch: 2)
            let snapshot = try await bench.begin(claim)
            #expect(snapshot.tail == chain.tail)
            #expect(snapshot.abandoned.map(\.reference) == [CallKey.first.attempt()])
            #expect(snapshot.calls.map(\.state) == [.unknown, .answered])
            #expect(try await bench.events(chain.debate).map(\.type) == ["debate_start", "call_abandoned"])
            let again = try await bench.begin(claim)
            #expect(again.abandoned.isEmpty && again.tail.seq == 2)
            #expect(
                try await bench.runs.recordIntents(rival.holding, [CallKey.first.intent]).granted == [
                    CallKey.first.attempt(2)
                ])
        }
    }

    @Test("a claim that was taken away can not begin, and changes no call")
    func beginFenced() async throws {
        try await Bench.with { bench in
            let owner = try await bench.runner()
            let (chain, holding) = try await bench.held(by: owner)
            _ = try await bench.runs.recordIntents(holding, [CallKey.first.intent])
            let rival = try await bench.adopt(from: owner)
            _ = try await bench.adopt(from: rival.runner)
            let stale = Claim(adopted: chain.debate, epoch: 2)
            await #expect { try await bench.begin(stale) } throws: { $0.isLost(to: 3) }
            #expect(try await bench.callState(chain.debate, .first) == "intent")
        }
    }
}

extension Bench {
    /// Returns once some session of this schema waits for a lock: the signal that a race is where a test wants it.
    func untilSomebodyWaits() async throws {
        for _ in 0..<2000 {
            let waiting = try await pool.query(
                """
                SELECT count(*) AS n FROM pg_stat_activity
                WHERE application_name = current_setting('application_name') AND wait_event_type = 'Lock'
                """)[0].int("n")
            if waiting > 0 { return }
        }
        throw Surprise("nobody waits")
    }
}

import Contracts
import Ledger
import Messaging
import Platform
import PostgresClient
import RedisClient
import Sockets
import Storage
import TestSupport
import Testing

@testable import DebateRunner
@testable import Domain

@Suite("DebateRunnerService", .needsPostgres, .timeLimit(.minutes(2)))
struct RunnerServiceTests {
    private func service(
        _ bench: RunBench, _ model: any ModelClient, concurrency: Int = 3, redis: RunnerRedis? = nil,
        policy: EmbeddedRunnerPolicy = .on, drain: Duration = .seconds(25), metrics: Metrics = Metrics()
    ) -> DebateRunnerService {
        DebateRunnerService(
            settings: RunnerSettings(
                kind: policy == .on ? .worker : .embedded, concurrency: concurrency, drain: drain),
            policy: policy,
            dependencies: RunnerDependencies(
                loop: bench.pool.loop, pool: bench.pool, sessions: bench.pool.configuration, redis: redis,
                models: { _ in model }, receiptKeys: { RunBench.keys }, log: .disabled, metrics: metrics))
    }

    /// Runs services beside `body`, then drains them.
    private func running(
        _ bench: RunBench, _ services: [DebateRunnerService], _ body: () async throws -> Void
    ) async throws {
        let shutdown = ShutdownSignal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services {
                group.addTask(executorPreference: bench.pool.loop) { try await service.run(until: shutdown) }
            }
            do {
                try await body()
            } catch {
                shutdown.advance(to: .cancelled)
                throw error
            }
            shutdown.request()
            try await group.waitForAll()
        }
    }

    @Test("claims what is queued, more than it has slots, and gives its registration back")
    func claims() async throws {
        try await RunBench.with { bench in
            var debates: [DebateID] = []
            for _ in 0..<8 { debates.append(try await bench.debate()) }
            let model = ScriptedModel()
            try await running(bench, [service(bench, model)]) {
                for debate in debates { try await bench.waitForEvent("debate_end", of: debate) }
            }
            for debate in debates { try await bench.expectSound(debate, is: .completed) }
            #expect(model.violations.isEmpty)
            #expect(try await bench.pool.query("SELECT id FROM runners").isEmpty)
        }
    }

    @Test("never runs more debates at once than it has slots")
    func slots() async throws {
        try await RunBench.with { bench in
            for _ in 0..<5 { try await bench.debate() }
            let model = ScriptedModel(held: ["r1/vote/demo-1"])
            try await running(bench, [service(bench, model, concurrency: 2, drain: .zero)]) {
                try await bench.poll { model.keys.count { $0 == "r1/vote/demo-1" } == 2 }
                let running = try await bench.pool.query("SELECT debate_id FROM debate_runs WHERE status = 'running'")
                    .count
                #expect(running == 2)
            }
            #expect(Set(model.requests.map(\.debate)).count == 2)
            let queued = try await bench.pool.query("SELECT debate_id FROM debate_runs WHERE status = 'queued'").count
            #expect(queued == 5, "a drain gives everything back")
        }
    }

    @Test("a drain waits for calls in flight and releases between calls")
    func drain() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel(held: ["r1/propose/demo-1"])
            let shutdown = ShutdownSignal()
            let runner = service(bench, model)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask(executorPreference: bench.pool.loop) { try await runner.run(until: shutdown) }
                await model.arrival(of: "r1/propose/demo-1")
                shutdown.request()
                model.release("r1/propose/demo-1")
                try await group.waitForAll()
            }
            #expect(try await bench.status(debate) == "queued")
            #expect(try await bench.calls(debate).allSatisfy { $0.state == "answered" })
        }
    }

    @Test("a second request to stop cancels the calls, which become unknown")
    func stopNow() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel(held: ["r1/propose/demo-1"])
            let shutdown = ShutdownSignal()
            let runner = service(bench, model)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask(executorPreference: bench.pool.loop) { try await runner.run(until: shutdown) }
                await model.arrival(of: "r1/propose/demo-1")
                shutdown.request()
                shutdown.request()
                try await group.waitForAll()
            }
            #expect(try await bench.status(debate) == "queued")
            model.release("r1/propose/demo-1")
            let second = try await bench.run(debate, bench.context(model))
            guard case .ended(.completed) = second else { throw Surprise("\(second)") }
            try await bench.expectSound(debate, is: .completed)
        }
    }

    @Test("adopts the debates of a runner whose lease has expired, and of one whose presence lock is gone")
    func adopts() async throws {
        try await RunBench.with { bench in
            let (expired, killed) = (try await bench.runner(), try await bench.runner())
            let (first, second) = (try await bench.debate(), try await bench.debate())
            _ = try await bench.claim(first, expired)
            _ = try await bench.claim(second, killed)
            _ = try await bench.pool.execute(
                "UPDATE runners SET expires_at = now() - interval '1 minute' WHERE id = \(expired.text)")
            _ = try await bench.pool.execute("UPDATE runners SET presence_key = 4711 WHERE id = \(killed.text)")
            let model = ScriptedModel()
            try await running(bench, [service(bench, model)]) {
                try await bench.waitForEvent("debate_end", of: first)
                try await bench.waitForEvent("debate_end", of: second)
            }
            try await bench.expectSound(first, is: .completed)
            try await bench.expectSound(second, is: .completed)
        }
    }

    @Test("one sweep adopts all that a dead runner held, batch after batch, and no more than there are slots")
    func adoptsBatches() async throws {
        try await RunBench.with { bench in
            let expired = try await bench.runner()
            for _ in 0..<40 { _ = try await bench.claim(try await bench.debate(), expired) }
            _ = try await bench.pool.execute(
                "UPDATE runners SET expires_at = now() - interval '1 minute' WHERE id = \(expired.text)")
            for (slots, left) in [(20, 20), (40, 0)] {
                let survivor = try await bench.runner()
                try await service(bench, ScriptedModel(), concurrency: slots).adopt(for: survivor, dead: [])
                let adopted = try await bench.pool.query(
                    "SELECT debate_id FROM debate_runs WHERE lease_owner = \(survivor.text)")
                let orphans = try await bench.pool.query(
                    "SELECT debate_id FROM debate_runs WHERE lease_owner = \(expired.text)")
                #expect(adopted.count == 20 && orphans.count == left)
            }
        }
    }

    @Test("a debate that is ours without our knowing, because a claim's answer was lost, is taken up again")
    func reconciles() async throws {
        try await RunBench.with { bench in
            let model = ScriptedModel()
            let debate = try await bench.debate()
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET status = 'paused' WHERE debate_id = \(debate.text)")
            try await running(bench, [service(bench, model)]) {
                try await bench.poll { try await !bench.pool.query("SELECT id FROM runners").isEmpty }
                _ = try await bench.pool.execute(
                    """
                    UPDATE debate_runs SET status = 'running', lease_owner = (SELECT id FROM runners), lease_epoch = 1
                    WHERE debate_id = \(debate.text)
                    """)
                try await bench.waitForEvent("debate_end", of: debate)
            }
            try await bench.expectSound(debate, is: .completed)
            #expect(model.requests.allSatisfy { $0.epoch == 2 })
        }
    }

    @Test("after its registration is removed it stops everything, registers anew and goes on")
    func expires() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel(held: ["r1/critique/demo-1/demo-2"])
            try await running(bench, [service(bench, model)]) {
                await model.arrival(of: "r1/critique/demo-1/demo-2")
                _ = try await bench.pool.execute("DELETE FROM runners")
                try await bench.poll {
                    model.requests.contains { $0.epoch > 1 && $0.call.key.text == "r1/critique/demo-1/demo-2" }
                }
                model.release("r1/critique/demo-1/demo-2")
                try await bench.waitForEvent("debate_end", of: debate)
            }
            try await bench.expectSound(debate, is: .completed)
            #expect(model.violations.isEmpty)
        }
    }

    @Test("the watchdog ends a debate whose holder does not: overdue with a receipt, stalled as failed")
    func watchdog() async throws {
        try await RunBench.with { bench in
            let holder = try await bench.runner()
            let (overdue, stalled) = (try await bench.debate(), try await bench.debate())
            for debate in [overdue, stalled] { _ = try await bench.claim(debate, holder) }
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET deadline = now() - interval '1 second' WHERE debate_id = \(overdue.text)")
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET last_progress_at = now() - interval '601 seconds' WHERE debate_id = \(stalled.text)"
            )
            try await running(bench, [service(bench, ScriptedModel())]) {
                try await bench.waitForEvent("debate_end", of: overdue)
                try await bench.waitForEvent("debate_end", of: stalled)
            }
            try await bench.expectSound(overdue, is: .timeout)
            try await bench.expectSound(stalled, is: .failed)
            #expect(try await bench.types(overdue) == ["debate_start", "timeout", "receipt_generated", "debate_end"])
            #expect(try await bench.types(stalled) == ["debate_start", "debate_end"])
        }
    }

    @Test("a debate whose log nobody can follow is ended as failed, behind what is there")
    func unreplayable() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let metrics = Metrics()
            // As a bug or a hand would have left it: the chain is whole, the machine refuses an event.
            let start = try await bench.pool.query(
                "SELECT hash, at FROM debate_events WHERE debate_id = \(debate.text)")[0]
            var chain = EventChain(debateID: debate, tail: LogTail(seq: 1, hash: try start.bytes("hash")))
            let odd = try chain.seal(
                .phaseChange(from: .vote, to: .vote, round: 7),
                at: Timestamp(milliseconds: try start.milliseconds("at")), epoch: 0)
            _ = try await bench.pool.execute(
                """
                INSERT INTO debate_events (debate_id, seq, type, round, at, epoch, data, salt, data_hash, prev_hash, hash)
                VALUES (\(debate.text), 2, \(odd.type), \(odd.round), to_timestamp(\(odd.at.milliseconds) / 1000.0), 0,
                        \(odd.data), \(odd.salt), \(odd.dataHash), \(odd.prevHash), \(odd.hash))
                """)
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET last_seq = 2, last_hash = \(odd.hash) WHERE debate_id = \(debate.text)")
            try await running(bench, [service(bench, ScriptedModel(), metrics: metrics)]) {
                try await bench.poll { metrics.value(.alarms, ["run"]) == 1 }
                #expect(try await bench.types(debate) == ["debate_start", "phase_change"])
                _ = try await bench.pool.execute(
                    "UPDATE debate_runs SET last_progress_at = now() - interval '601 seconds'")
                try await bench.waitForEvent("debate_end", of: debate)
            }
            let events = try await bench.log.read(debate, from: 1, limit: 10)
            var verifier = ChainVerifier(debateID: debate)
            for event in events { try verifier.feed(event) }
            #expect(verifier.hasEnded)
            let last = try EventCodec.decode(try #require(events.last))
            guard case .debateEnd(let end) = last else {
                Issue.record("the last event is \(last)")
                return
            }
            #expect(end.status == .failed && end.reason?.hasSuffix("Its log can not be replayed.") == true)
            let row = try await bench.pool.query("SELECT status FROM debate_runs")[0]
            #expect(try row.text("status") == "failed")
            #expect(try await bench.pool.query("SELECT id FROM receipts").isEmpty)
        }
    }

    @Test("an embedded runner leaves debates to a live worker, and takes them when there is none")
    func embedded() async throws {
        try await RunBench.with { bench in
            let worker = try await bench.runner()
            let debate = try await bench.debate()
            let model = ScriptedModel()
            try await running(bench, [service(bench, model, policy: .auto)]) {
                try await bench.poll {
                    try await bench.pool.query("SELECT id FROM runners WHERE kind = 'embedded'").count == 1
                }
                #expect(model.keys.isEmpty)
                _ = try await bench.pool.execute("DELETE FROM runners WHERE id = \(worker.text)")
                try await bench.waitForEvent("debate_end", of: debate)
            }
            try await bench.expectSound(debate, is: .completed)
        }
    }

    @Test("two runners share the work, every call once", .needsRedis)
    func two() async throws {
        try await RunBench.with { bench in
            let connection = RedisConnection(loop: bench.pool.loop, configuration: try TestRedis.configuration())
            try await connection.connect()
            let keyspace = Keyspace(prefix: "test-\(UInt64.random(in: .min ... .max))", generation: 1)
            let redis = RunnerRedis(
                configuration: try TestRedis.configuration(), connection: connection, keyspace: { keyspace })
            let model = ScriptedModel()
            var debates: [DebateID] = []
            try await running(bench, [service(bench, model, redis: redis), service(bench, model, redis: redis)]) {
                for _ in 0..<10 {
                    let debate = try await bench.debate(agents: 3, rounds: 2)
                    debates.append(debate)
                    try await Doorbell(connection: connection, keyspace: keyspace).ring(debate)
                }
                for debate in debates { try await bench.waitForEvent("debate_end", of: debate) }
            }
            for debate in debates {
                try await bench.expectSound(debate, is: .completed)
                let tail = try await EventStream(connection: connection, keyspace: keyspace).tail(debate)
                #expect(tail?.seq == Int64(try await bench.events(debate).count))
            }
            #expect(model.violations.isEmpty)
            #expect(model.requests.count == 10 * 27)
            try await TestRedis.deleteAll(connection, keyspace.prefix)
            await connection.close()
        }
    }
}

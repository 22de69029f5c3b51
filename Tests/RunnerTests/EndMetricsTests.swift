import Platform
import PostgresClient
import Storage
import TestSupport
import Testing

@testable import DebateRunner
@testable import Domain

/// Every end is counted once, by the process that ended the debate.
@Suite("EndMetrics", .needsPostgres, .timeLimit(.minutes(1)))
struct EndMetricsTests {
    private static func ends(_ metrics: Metrics) -> [String: Double] {
        let outcomes = ["consensus", "no_consensus", "error", "cancelled", "timeout"]
        return Dictionary(uniqueKeysWithValues: outcomes.map { ($0, metrics.value(.debatesEnded, [$0])) })
            .filter { $0.value != 0 }
    }

    @Test("a runner counts the end it brought about, with rounds, convergence, receipt and cost")
    func completed() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(agents: 3, rounds: 2)
            let context = bench.context(ScriptedModel())
            _ = try await bench.run(debate, context)
            try await bench.expectSound(debate, is: .completed)
            let metrics = context.metrics
            let reached = metrics.value(.consensusReached)
            #expect(Self.ends(metrics) == [reached == 1 ? "consensus" : "no_consensus": 1])
            #expect(metrics.value(.debatesCompleted) == 1)
            let rounds = try await bench.pool.query("SELECT rounds_used, cost_micro_usd FROM debates")[0]
            #expect(metrics.value(.debateRounds) == Double(try rounds.int("rounds_used")))
            let text = metrics.render()
            #expect(text.contains("aragora_convergence_score_count 1\n"))
            #expect(text.contains("aragora_debate_duration_seconds_count{outcome="))
            #expect(Verdict.allCases.map { metrics.value(.receipts, [$0.rawValue]) }.reduce(0, +) == 1)
            #expect(metrics.value(.budgetEnded) == 0)
            let paid = try await bench.pool.query("SELECT sum(cost_micro_usd)::bigint AS micro FROM agent_calls")[0]
            #expect(abs(metrics.value(.agentCost, ["demo"]) * 1e6 - Double(try paid.int64("micro"))) < 0.5)
        }
    }

    @Test("a debate that spent its budget is counted as such")
    func budget() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(rounds: 3, budget: MicroUSD(1))
            let context = bench.context(ScriptedModel())
            _ = try await bench.run(debate, context)
            try await bench.expectSound(debate, is: .completed)
            #expect(context.metrics.value(.budgetEnded) == 1)
            let calls = Double(try await bench.calls(debate).count)
            #expect(abs(context.metrics.value(.agentCost, ["demo"]) - 7e-6 * calls) < 1e-9)
            #expect(context.metrics.value(.debateRounds) == 1)
        }
    }

    @Test("its own timeout is counted by its runner")
    func timeout() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(timeoutSeconds: 30)
            _ = try await bench.pool.execute(
                "UPDATE debate_runs SET deadline = now() - interval '1 second' WHERE debate_id = \(debate.text)")
            let context = bench.context(ScriptedModel())
            _ = try await bench.run(debate, context)
            try await bench.expectSound(debate, is: .timeout)
            #expect(Self.ends(context.metrics) == ["timeout": 1])
            #expect(context.metrics.value(.debatesCompleted) == 0)
        }
    }

    @Test("who lost the debate counts nothing; who took it over counts its end")
    func takeover() async throws {
        try await RunBench.with { bench in
            let (first, second) = (try await bench.runner(), try await bench.runner())
            let debate = try await bench.debate()
            let model = ScriptedModel(held: ["r1/vote/demo-1"])
            let (old, new) = (bench.context(model), bench.context(ScriptedModel()))
            let claim = try await bench.claim(debate, first)
            async let lost = bench.start(claim, first, old)
            await model.arrival(of: "r1/vote/demo-1")
            let adopted = try await bench.adopt(from: first, by: second)
            _ = await bench.start(adopted, second, new)
            model.release("r1/vote/demo-1")
            _ = await lost
            try await bench.expectSound(debate, is: .completed)
            #expect(Self.ends(old.metrics).isEmpty)
            #expect(Self.ends(new.metrics).values.reduce(0, +) == 1)
        }
    }

    @Test("of two watchdogs that see the same overdue debate, one counts its end")
    func watchdogs() async throws {
        try await RunBench.with { bench in
            let holder = try await bench.runner()
            var debates: [DebateID] = []
            for _ in 0..<6 {
                let debate = try await bench.debate()
                _ = try await bench.claim(debate, holder)
                debates.append(debate)
            }
            _ = try await bench.pool.execute("UPDATE debate_runs SET deadline = now() - interval '1 second'")
            let services = [Metrics(), Metrics()].map { metrics in
                DebateRunnerService(
                    settings: RunnerSettings(kind: .worker, concurrency: 3),
                    dependencies: RunnerDependencies(
                        loop: bench.pool.loop, pool: bench.pool, sessions: bench.pool.configuration, redis: nil,
                        models: { _ in ScriptedModel() }, receiptKeys: { RunBench.keys }, log: .disabled,
                        metrics: metrics))
            }
            let shutdown = ShutdownSignal()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in services {
                    group.addTask(executorPreference: bench.pool.loop) { try await service.run(until: shutdown) }
                }
                for debate in debates { try await bench.waitForEvent("debate_end", of: debate) }
                shutdown.request()
                try await group.waitForAll()
            }
            let counted = services.map { Self.ends($0.dependencies.metrics)["timeout"] ?? 0 }
            #expect(counted.reduce(0, +) == 6, "\(counted)")
        }
    }
}

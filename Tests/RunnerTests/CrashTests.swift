import Storage
import TestSupport
import Testing

@testable import DebateRunner
@testable import Domain

/// A runner dies at every one of its writes, before or after the write took effect, and another one goes on.
@Suite("DebateRun after a crash", .needsPostgres)
struct CrashTests {
    /// Two agents and one round write: the five phases with their intents, the end with the last outcomes.
    static let writes = 5 + 1

    @Test(
        "the next runner finishes, no answered call is sent again, and each key at most once more",
        arguments: 1...CrashTests.writes, Fault.Moment.allCases)
    func crash(write: Int, moment: Fault.Moment) async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel()
            let fault = Fault(at: write, moment)
            let runner = try await bench.runner()
            let end = await bench.start(
                try await bench.claim(debate, runner), runner, bench.context(model, fault: fault))
            guard case .stopped(.unavailable) = end else { throw Surprise("\(end)") }
            #expect(fault.isDead)
            if write == Self.writes, moment == .after {
                try await bench.expectSound(debate, is: .completed)
                return
            }
            let other = try await bench.runner()
            let second = await bench.start(
                try await bench.adopt(from: runner, by: other), other, bench.context(model))
            guard case .ended(.completed) = second else { throw Surprise("\(second)") }
            try await bench.expectSound(debate, is: .completed)
            #expect(model.violations.isEmpty)
            let sends = Dictionary(grouping: model.keys, by: { $0 }).mapValues(\.count)
            #expect(sends.count == 10)
            #expect(sends.values.allSatisfy { $0 <= 2 })
        }
    }

    @Test("runners die one after the other, anywhere", arguments: 0..<6)
    func manyCrashes(seed: Int) async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(agents: 3, rounds: 2)
            let model = ScriptedModel()
            var runner = try await bench.runner()
            var claim = try await bench.claim(debate, runner)
            var takeovers = 0
            while true {
                let fault = Fault(at: (seed + takeovers * 3) % 5 + 2, takeovers.isMultiple(of: 2) ? .after : .before)
                let end = await bench.start(
                    claim, runner, bench.context(model, fault: takeovers < 12 ? fault : Fault()))
                if case .ended = end { break }
                guard case .stopped(.unavailable) = end else { throw Surprise("\(end)") }
                guard try await bench.status(debate) == "running" else { break }
                let next = try await bench.runner()
                claim = try await bench.adopt(from: runner, by: next)
                runner = next
                takeovers += 1
            }
            let status = try await bench.status(debate)
            try await bench.expectSound(debate, is: try #require(DebateStatus(rawValue: status)))
            #expect(model.violations.isEmpty)
        }
    }

    /// An account that is empty for one call, and who answers it instead.
    private static let emptyAccount: ScriptedModel.Script = { request in
        let agent = request.call.agent
        return request.call.key.text == "r1/propose/demo-2" && agent.provider == .demo
            ? .failed(CallFailure(.quota)) : ScriptedModel.agreeable(request)
    }
    private static let standIn: @Sendable (AgentSpec) -> AgentSpec? = { agent in
        agent.provider == .demo ? agent.answered(by: .openrouter, model: "other/model") : nil
    }

    @Test("a fallback is recorded once, wherever its runner dies", arguments: 2...5, Fault.Moment.allCases)
    func fallback(write: Int, moment: Fault.Moment) async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(agents: 3)
            let model = ScriptedModel(Self.emptyAccount)
            let runner = try await bench.runner()
            let end = await bench.start(
                try await bench.claim(debate, runner), runner,
                bench.context(model, fault: Fault(at: write, moment), fallback: Self.standIn))
            guard case .stopped(.unavailable) = end else { throw Surprise("\(end)") }
            let other = try await bench.runner()
            let second = await bench.start(
                try await bench.adopt(from: runner, by: other), other, bench.context(model, fallback: Self.standIn))
            guard case .ended(.completed) = second else { throw Surprise("\(second)") }
            try await bench.expectSound(debate, is: .completed)
            #expect(model.violations.isEmpty)
            let types = try await bench.types(debate)
            #expect(types.filter { $0 == "agent_fallback_triggered" }.count == 1)
            #expect(!types.contains("agent_error"))
        }
    }

    @Test("a failure that is only in the ledger is answered for by another provider after a takeover")
    func fallbackFromLedger() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(agents: 3)
            let runner = try await bench.runner()
            let claim = try await bench.claim(debate, runner)
            let key = CallKey("r1/propose/demo-2")
            _ = try await bench.store.recordIntents(
                Holding(debate: debate, epoch: claim.epoch),
                [CallIntent(key: key, agent: "demo-2", provider: .demo, model: "demo", round: 1)])
            try await bench.store.settle([
                CallSettlement(
                    debate: debate, reference: CallReference(key: key, attempt: 1),
                    outcome: .failed(CallFailure(.quota)), latencyMilliseconds: 1)
            ])
            let model = ScriptedModel(Self.emptyAccount)
            let other = try await bench.runner()
            let end = await bench.start(
                try await bench.adopt(from: runner, by: other), other, bench.context(model, fallback: Self.standIn))
            guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            try await bench.expectSound(debate, is: .completed)
            let asked = model.requests.filter { $0.call.key == key }
            #expect(asked.map(\.call.agent.provider) == [.openrouter] && asked.map(\.attempt) == [2])
            #expect(try await bench.types(debate).filter { $0 == "agent_fallback_triggered" }.count == 1)
        }
    }
}

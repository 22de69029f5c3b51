import Platform
import PostgresClient
import Providers
import Sockets
import Storage
import TestSupport
import Testing

@testable import DebateRunner
@testable import Domain

@Suite("DebateRun", .needsPostgres)
struct DebateRunTests {
    @Test("runs a debate to its end: every call once, one append per step, receipt and end last")
    func whole() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(agents: 3, rounds: 3)
            let model = ScriptedModel()
            let fault = Fault()
            let end = try await bench.run(debate, bench.context(model, fault: fault))
            guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            try await bench.expectSound(debate, is: .completed)
            #expect(model.requests.count == 39)
            #expect(model.violations.isEmpty)
            let types = try await bench.types(debate)
            #expect(types.count == 59)
            #expect(types.suffix(3) == ["consensus", "receipt_generated", "debate_end"])
            // One commit for each of thirteen phases, and the end with the last outcomes.
            #expect(fault.writes == 13 + 1)
            #expect(bench.publisher.seqs(debate) == Array(1...59))
        }
    }

    @Test("a failed call is tried again as an attempt of its own; an answer is one event")
    func retry() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel { request in
                request.call.key.text == "r1/propose/demo-1" && request.attempt < 3
                    ? .failed(CallFailure(.overloaded)) : ScriptedModel.agreeable(request)
            }
            let end = try await bench.run(debate, bench.context(model))
            guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            try await bench.expectSound(debate, is: .completed)
            let calls = try await bench.calls(debate).filter { $0.key == "r1/propose/demo-1" }
            #expect(calls.map(\.state) == ["failed", "failed", "answered"])
            #expect(try await bench.types(debate).filter { $0 == "agent_message" }.count == 2)
        }
    }

    @Test("an agent whose call fails for good takes no further part", arguments: [CallFailure.Kind.quota, .server])
    func agentFails(kind: CallFailure.Kind) async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(agents: 3)
            let model = ScriptedModel { request in
                request.call.agent.name == "demo-2" ? .failed(CallFailure(kind)) : ScriptedModel.agreeable(request)
            }
            let end = try await bench.run(debate, bench.context(model))
            guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            try await bench.expectSound(debate, is: .completed)
            let attempts = try await bench.calls(debate).filter { $0.key == "r1/propose/demo-2" }.count
            #expect(attempts == (kind == .quota ? 1 : 3))
            #expect(try await bench.types(debate).filter { $0 == "agent_error" }.count == 1)
        }
    }

    @Test("an account that is empty is answered for by another provider, and the log says by whom and why")
    func fallsBack() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(agents: 3)
            let model = ScriptedModel { request in
                let agent = request.call.agent
                guard agent.name == "demo-2", request.call.phase == .propose, request.call.round == 1 else {
                    return ScriptedModel.agreeable(request)
                }
                guard agent.provider == .openrouter else { return .failed(CallFailure(.quota)) }
                return .answered(
                    Answer(
                        content: "Said elsewhere.", provider: .openrouter, model: agent.model, usage: Usage(),
                        truncated: false))
            }
            let end = try await bench.run(
                debate, bench.context(model, fallback: { $0.answered(by: .openrouter, model: "other/model") }))
            guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            try await bench.expectSound(debate, is: .completed)
            let types = try await bench.types(debate)
            #expect(types.filter { $0 == "agent_fallback_triggered" }.count == 1)
            #expect(!types.contains("agent_error"))
            let attempts = model.requests.filter { $0.call.key.text == "r1/propose/demo-2" }
            #expect(attempts.map(\.call.agent.provider) == [.demo, .openrouter])
            #expect(attempts.map(\.attempt) == [1, 2])
            // The next call asks the agent's own provider again.
            #expect(
                model.requests.filter { $0.call.key.text == "r1/ballot/demo-2" }.allSatisfy {
                    $0.call.agent.provider == .demo
                })
        }
    }

    @Test("when the other provider fails too, the agent takes no further part")
    func fallbackFails() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(agents: 3)
            let model = ScriptedModel { request in
                request.call.agent.name == "demo-2"
                    ? .failed(CallFailure(.server)) : ScriptedModel.agreeable(request)
            }
            let end = try await bench.run(
                debate, bench.context(model, fallback: { $0.answered(by: .openrouter, model: "other/model") }))
            guard case .ended(.completed) = end else { throw Surprise("\(end)") }
            try await bench.expectSound(debate, is: .completed)
            let asked = model.requests.filter { $0.call.key.text == "r1/propose/demo-2" }.map(\.call.agent.provider)
            #expect(asked == [.demo, .demo, .demo, .openrouter, .openrouter])
            #expect(try await bench.types(debate).filter { $0 == "agent_error" }.count == 1)
        }
    }

    @Test("below the quorum the debate fails without a receipt, and calls in flight are named as abandoned")
    func quorum() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(agents: 2)
            let model = ScriptedModel(held: ["r1/propose/demo-1"]) { request in
                request.call.agent.name == "demo-2"
                    ? .failed(CallFailure(.authentication)) : ScriptedModel.agreeable(request)
            }
            let end = try await bench.run(debate, bench.context(model))
            guard case .ended(.failed) = end else { throw Surprise("\(end)") }
            try await bench.expectSound(debate, is: .failed)
            #expect(try await bench.types(debate).suffix(3) == ["agent_error", "call_abandoned", "debate_end"])
            #expect(try await bench.calls(debate).first { $0.key == "r1/propose/demo-1" }?.state == "unknown")
        }
    }

    @Test("a debate whose time is over ends with a receipt, even when its calls do not")
    func timeout() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(timeoutSeconds: 10)
            let model = ScriptedModel(held: ["r1/propose/demo-1", "r1/propose/demo-2"])
            let offset = Lock<Duration>(.zero)
            let clock = LeaseClock(lease: .seconds(3600)) { BootInstant.now().advanced(by: offset.withLock { $0 }) }
            clock.confirm(sentAt: clock.reading())
            let context = bench.context(model, lease: clock)
            let runner = try await bench.runner()
            let run = DebateRun(try await bench.claim(debate, runner), runner: runner, context: context)
            async let end = bench.start(run)
            await model.arrival(of: "r1/propose/demo-2")
            offset.withLock { $0 = .seconds(11) }
            await run.lookForCommands()
            guard case .ended(.timeout) = await end else { throw Surprise("not timed out") }
            try await bench.expectSound(debate, is: .timeout)
            let types = try await bench.types(debate)
            #expect(types.contains("timeout"))
            #expect(types.suffix(2) == ["receipt_generated", "debate_end"])
        }
    }

    @Test("a wall clock that is wrong, the creator's or the runner's, ends no debate", arguments: [-7200, 7200])
    func wrongClock(seconds: Int64) async throws {
        try await RunBench.with { bench in
            let wrong: @Sendable () -> Int64 = { WallClock.nowMilliseconds() + seconds * 1000 }
            for debate in [try await bench.debate(createdAt: wrong()), try await bench.debate()] {
                _ = try await bench.run(debate, bench.context(ScriptedModel(), wallClock: wrong))
                try await bench.expectSound(debate, is: .completed)
            }
            let behind = try await bench.debate(createdAt: wrong())
            _ = try await bench.run(behind, bench.context(ScriptedModel()))
            try await bench.expectSound(behind, is: .completed)
        }
    }

    @Test("a pause lets calls in flight end and gives the debate back; a resume goes on where it stood")
    func pause() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate(rounds: 2)
            let model = ScriptedModel(held: ["r1/propose/demo-2"])
            let runner = try await bench.runner()
            let run = DebateRun(try await bench.claim(debate, runner), runner: runner, context: bench.context(model))
            async let end = bench.start(run)
            await model.arrival(of: "r1/propose/demo-2")
            try await bench.command(.remark(Remark("Think of backups.")), of: debate)
            try await bench.command(.remark(Remark("At most $100.", kind: .constraint)), of: debate)
            try await bench.command(.pause, of: debate)
            await run.lookForCommands()
            model.release("r1/propose/demo-2")
            guard case .released(.paused) = await end else { throw Surprise("not paused") }
            #expect(try await bench.status(debate) == "paused")
            #expect(try await bench.types(debate).suffix(1) != ["phase_change"])

            // Nobody holds it now: the log has it at once.
            try await bench.command(.remark(Remark("And of who is on call.")), of: debate)
            try await bench.command(.resume, of: debate)
            let second = try await bench.run(debate, bench.context(model))
            guard case .ended(.completed) = second else { throw Surprise("\(second)") }
            try await bench.expectSound(debate, is: .completed)
            #expect(model.requests.count == 18)
            for request in model.requests {
                let prompt = PromptBuilder.prompt(for: request.call).user
                let isQuoted = request.call.round == 2
                for quote in [
                    "kind=\"remark\">\nThink of backups.\n</", "kind=\"remark\">\nAnd of who is on call.\n</",
                    "kind=\"constraint\">\nAt most $100.\n</",
                ] { #expect(prompt.contains(quote) == isQuoted, "\(request.call.key)") }
            }
        }
    }

    @Test("a drain lets go between calls, and waits for those in flight")
    func drain() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel(held: ["r1/propose/demo-1"])
            let runner = try await bench.runner()
            let run = DebateRun(try await bench.claim(debate, runner), runner: runner, context: bench.context(model))
            async let end = bench.start(run)
            await model.arrival(of: "r1/propose/demo-1")
            await run.drain(cancellingCalls: false)
            model.release("r1/propose/demo-1")
            guard case .released(.queued) = await end else { throw Surprise("not released") }
            #expect(try await bench.calls(debate).allSatisfy { $0.state == "answered" })
            #expect(model.requests.count == 2)
            let second = try await bench.run(debate, bench.context(model))
            guard case .ended(.completed) = second else { throw Surprise("\(second)") }
            try await bench.expectSound(debate, is: .completed)
            #expect(model.requests.count == 10)
        }
    }

    @Test("a drain that must not wait cancels its calls, which become unknown and are sent once more")
    func drainNow() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel(held: ["r1/propose/demo-1"])
            let runner = try await bench.runner()
            let run = DebateRun(try await bench.claim(debate, runner), runner: runner, context: bench.context(model))
            async let end = bench.start(run)
            await model.arrival(of: "r1/propose/demo-1")
            await run.drain(cancellingCalls: true)
            guard case .released(.queued) = await end else { throw Surprise("not released") }
            model.release("r1/propose/demo-1")
            let second = try await bench.run(debate, bench.context(model))
            guard case .ended(.completed) = second else { throw Surprise("\(second)") }
            try await bench.expectSound(debate, is: .completed)
            #expect(try await bench.types(debate).contains("call_abandoned"))
            let states = try await bench.calls(debate).filter { $0.key == "r1/propose/demo-1" }.map(\.state)
            #expect(states == ["unknown", "answered"])
            #expect(model.violations.isEmpty)
        }
    }

    @Test("who lost the debate writes no event, and still stores what its call cost")
    func lost() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel(held: ["r1/propose/demo-1"])
            let rival = ScriptedModel(held: ["r1/propose/demo-2"])
            let runner = try await bench.runner()
            let run = DebateRun(try await bench.claim(debate, runner), runner: runner, context: bench.context(model))
            async let end = bench.start(run)
            await model.arrival(of: "r1/propose/demo-1")
            await model.arrival(of: "r1/propose/demo-2")
            // demo-2's answer is appended; the rest of the phase is still open when the rival comes.
            try await bench.waitForEvent("agent_message", of: debate)

            let other = try await bench.runner()
            let adopted = DebateRun(
                try await bench.adopt(from: runner, by: other), runner: other, context: bench.context(rival))
            async let second = bench.start(adopted)
            await rival.arrival(of: "r1/propose/demo-1")
            let before = try await bench.events(debate).count
            model.release("r1/propose/demo-1")
            let first = await end
            guard case .stopped(.lost) = first else { throw Surprise("\(first)") }
            guard case .ended(.completed) = await second else { throw Surprise("not completed") }
            try await bench.expectSound(debate, is: .completed)
            #expect(try await bench.events(debate)[0..<before].filter { $0.epoch == 1 }.count < before)
            let call = try await bench.calls(debate).first { $0.key == "r1/propose/demo-1" && $0.attempt == 1 }
            #expect(call?.state == "answered", "a late answer corrects the cost")
        }
    }

    @Test("nothing is sent while the lease is not fresh; the renewal that comes lets it go")
    func staleLease() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel()
            let now = Lock(BootInstant.now())
            let lease = LeaseClock(lease: .seconds(4), now: { now.withLock { $0 } })
            let runner = try await bench.runner()
            let run = DebateRun(
                try await bench.claim(debate, runner), runner: runner, context: bench.context(model, lease: lease))
            async let end = bench.start(run)
            try await bench.waitForCalls(2, of: debate)
            await run.lookForCommands()
            #expect(model.requests.isEmpty)
            lease.confirm(sentAt: now.withLock { $0 })
            await run.lookForCommands()
            guard case .ended(.completed) = await end else { throw Surprise("not completed") }
            try await bench.expectSound(debate, is: .completed)
        }
    }

    @Test("a log that was tampered with is not continued")
    func tampered() async throws {
        try await RunBench.with { bench in
            let debate = try await bench.debate()
            let model = ScriptedModel(held: ["r1/propose/demo-1"])
            let runner = try await bench.runner()
            let run = DebateRun(try await bench.claim(debate, runner), runner: runner, context: bench.context(model))
            async let end = bench.start(run)
            await model.arrival(of: "r1/propose/demo-1")
            await run.drain(cancellingCalls: true)
            _ = await end
            _ = try await bench.pool.execute("ALTER TABLE debate_events DISABLE TRIGGER USER")
            _ = try await bench.pool.execute(
                "UPDATE debate_events SET salt = \([UInt8](repeating: 0, count: 16)) WHERE debate_id = \(debate.text) AND seq = 2"
            )
            let second = try await bench.run(debate, bench.context(model))
            guard case .stopped(.broken) = second else { throw Surprise("\(second)") }
            #expect(model.requests.filter { $0.epoch > 1 }.isEmpty)
        }
    }
}

extension RunBench {
    func command(_ kind: DebateCommand.Kind, of debate: DebateID) async throws {
        _ = try await commands.take(kind, of: debate, by: "ann") { run in
            var chain = Chain(run.debate, run.tail)
            return chain.seal(DebateCommand.event(kind, by: "ann"), epoch: run.epoch)
        }
    }

    /// Waits until the log has an event of this type.
    func waitForEvent(_ type: String, of debate: DebateID) async throws {
        try await poll { try await types(debate).contains(type) }
    }

    /// Waits until this many calls have an intent.
    func waitForCalls(_ count: Int, of debate: DebateID) async throws {
        try await poll { try await calls(debate).count >= count }
    }

    /// Another process's writes can only be seen by looking; each look is a round trip, and there is an end to it.
    func poll(_ condition: () async throws -> Bool) async throws {
        for _ in 0..<50_000 {
            _ = try await pool.query("SELECT 1")
            if try await condition() { return }
        }
        throw Surprise("it did not happen")
    }
}

import Storage
import TestSupport
import Testing

@testable import DebateRunner
@testable import Domain

/// A runner dies at every one of its writes, before or after the write took effect, and another one goes on.
@Suite("DebateRun after a crash", .needsPostgres)
struct CrashTests {
    /// Two agents and one round write: begin, the five phases with their intents, the last outcomes, the end.
    static let writes = 1 + 5 + 1 + 1

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
}

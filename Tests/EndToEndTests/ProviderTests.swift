import Contracts
import Domain
import FaultSupport
import Glibc
import Platform
import TestSupport
import Testing

@Suite("Three agents on two providers", .needsPostgres, .needsRedis)
struct ProviderTests {
    private static let calm =
        #"{"latency":{"kind":"fixed","ms":40},"token_interval":{"kind":"fixed","ms":1},"answer_words":40}"#

    private func withProviders(
        _ name: String, scenario: String = calm, settings: [String: String] = [:],
        _ body: (Stack, SimulatedProviders) async throws -> Void
    ) async throws {
        let providers = try SimulatedProviders()
        defer { providers.stop() }
        try await Stack.with(name, .init(environment: providers.environment.merging(settings) { $1 })) { stack in
            try await providers.start(stack, scenario: scenario)
            try await stack.start(.api(1), .gateway(1))
            try await body(stack, providers)
        }
    }

    private let asked = Stack.Asked(agents: SimulatedProviders.agents)

    @Test("each call is sent once, and its text is streamed")
    func once() async throws {
        try await withProviders("providers") { stack, providers in
            try await stack.start(.worker(1))
            let debate = try await stack.create(asked)
            let viewers = stack.watchEverywhere(debate)
            try await stack.audit(debate, viewers: viewers, takeovers: 0)
            try await providers.audit(debate, stack, takeovers: 0)
            for viewer in viewers { stack.check(viewer.tokens > 0, "\(viewer.name) was shown no tokens") }
        }
    }

    static let points: [(KillPoint, Int)] = [
        (.afterClaimSettled, 1), (.afterIntent, 1), (.afterIntent, 2), (.afterAnswerBeforeOutcome, 1),
        (.afterAnswerBeforeOutcome, 7), (.afterCommitBeforePublish, 2), (.insideTheEnd, 1),
    ]

    @Test("each call is sent once, and at most once more when its worker was lost", arguments: Fault.all(points))
    func takeover(_ fault: Fault) async throws {
        try await withProviders("providers-\(fault.kind)-\(fault.point.rawValue)-\(fault.nth)") { stack, providers in
            try await stack.start([.worker(1)], with: fault.environment)
            let debate = try await stack.create(asked)
            let viewers = stack.watchEverywhere(debate)
            try await stack.awaitFault(.worker(1), fault)
            try await stack.start(.worker(2))
            if fault.kind == .frozen { try await stack.thaw(.worker(1), afterTakeoverOf: debate) }
            try await stack.audit(debate, viewers: viewers, takeovers: 1)
            try await providers.audit(debate, stack, takeovers: 1)
        }
    }

    @Test("a worker killed in the middle of answers is followed by one that asks again once")
    func midAnswer() async throws {
        let slow = #"{"latency":{"kind":"fixed","ms":20},"token_interval":{"kind":"fixed","ms":15},"answer_words":30}"#
        try await withProviders("providers-mid-answer", scenario: slow) { stack, providers in
            try await stack.start(.worker(1), .worker(2))
            let debate = try await stack.create(asked)
            let viewer = stack.watch(debate)
            var takeovers = 0
            for worker in [1, 2] {
                try await stack.eventually("an answer is being written") { viewer.tokens > 20 * worker }
                try await stack.kill(.worker(worker))
                takeovers += 1
                try await stack.start(.worker(worker + 2))
            }
            try await stack.audit(debate, viewers: [viewer], takeovers: takeovers)
            try await providers.audit(debate, stack, takeovers: takeovers)
        }
    }

    @Test("the places of a killed worker's calls are free at once, not when its calls would have timed out")
    func places() async throws {
        let endless = #"{"latency":{"kind":"fixed","ms":90000},"answer_words":30}"#
        let one = ["ARAGORA_PROVIDER_MAX_INFLIGHT": "1"]
        try await withProviders("providers-places", scenario: endless, settings: one) { stack, providers in
            try await stack.start(.worker(1))
            let agents: [JSONValue] = ["anthropic", "anthropic|claude-haiku|careful|critic"]
            let debate = try await stack.create(Stack.Asked(agents: agents))
            try await stack.eventually("the provider's only place is taken") {
                try await providers.ledger(stack).attempts.count == 1
            }
            try await stack.kill(.worker(1))
            try await providers.play(Self.calm, stack)
            try await stack.start(.worker(2))
            try await stack.audit(debate, viewers: [stack.watch(debate)], takeovers: 1)
            try await providers.audit(debate, stack, takeovers: 1)
        }
    }

    @Test("failures of providers are tried again, each try an attempt of its own")
    func failures() async throws {
        let rough = """
            {"latency":{"kind":"fixed","ms":20},"answer_words":30,"rules":[
              {"api":"anthropic","nth":[2],"fault":{"kind":"status","status":529}},
              {"api":"openai","nth":[1],"fault":{"kind":"cut","after_tokens":3}},
              {"api":"openai","nth":[3],"fault":{"kind":"bad_chunk","after_tokens":3}},
              {"api":"anthropic","nth":[5],"fault":{"kind":"empty"}}]}
            """
        try await withProviders("providers-failures", scenario: rough) { stack, providers in
            try await stack.start(.worker(1))
            let debate = try await stack.create(asked)
            try await stack.audit(debate, viewers: [stack.watch(debate)], takeovers: 0)
            try await providers.audit(debate, stack, takeovers: 0, retries: 2)
        }
    }

    @Test(
        "an agent that fails for good is named by the debate and by its receipt, and what it failed with is never content"
    )
    func named() async throws {
        let refusing = #"{"answer_words":30,"rules":[{"api":"openai","fault":{"kind":"status","status":401}}]}"#
        try await withProviders("providers-refusing", scenario: refusing) { stack, _ in
            try await stack.start(.worker(1))
            let debate = try await stack.create(asked)
            try await stack.audit(debate, viewers: [stack.watch(debate)], takeovers: 0)
            let body = try await stack.get("/api/v1/debates/\(debate)").body
            let failures = body["agent_failures"]?.object?.members ?? []
            stack.check(failures.map(\.value["kind"]?.string) == ["authentication"], "failures: \(failures)")
            let name = failures.first?.key ?? ""
            let spoken = (body["messages"]?.array ?? []).filter { $0["agent"]?.string == name }
            stack.check(spoken.isEmpty, "\(name) failed and is quoted: \(spoken)")
            let receipt = try await stack.get("/api/v1/debates/\(debate)/receipt").body
            let named = (receipt["agents_involved"]?.array ?? []).filter { $0["failure"]?.string == "authentication" }
            stack.check(named.map(\.["name"]?.string) == [name], "the receipt names \(named)")
        }
    }

    @Test("a provider that never ends its answers can not outlast the debate's own time")
    func timeout() async throws {
        let stalling = """
            {"answer_words":30,"rules":[{"prompt":"SEVERITY:","fault":{"kind":"stall","after_tokens":2}}]}
            """
        try await withProviders("providers-timeout", scenario: stalling) { stack, providers in
            try await stack.start(.worker(1))
            let debate = try await stack.create(Stack.Asked(agents: SimulatedProviders.agents, timeoutSeconds: 10))
            try await stack.audit(debate, viewers: [stack.watch(debate)], ends: [.timeout], takeovers: 0)
            try await providers.audit(debate, stack, takeovers: 0)
            try await stack.checkAlive(.worker(1))
        }
    }
}

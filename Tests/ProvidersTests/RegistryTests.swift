import Domain
import Platform
import Providers
import Sockets
import TestSupport
import Testing

@Suite("Provider registry")
struct RegistryTests {
    private func registry(
        _ loop: EventLoop, _ endpoints: [ProviderEndpoint], maxInFlight: Int = 32, latency: Duration = .zero,
        metrics: Metrics = Metrics()
    ) -> ProviderRegistry {
        let settings = ProviderSettings(endpoints: endpoints, maxInFlight: maxInFlight, demoLatency: latency)
        let limits = ProviderLimits(maxInFlight: maxInFlight)
        limits.register(on: metrics, providers: settings.configured)
        return ProviderRegistry(settings: settings, loop: loop, limits: limits, metrics: metrics, log: .disabled)
    }

    @Test("a provider without a key fails as not configured, and nothing is sent")
    func unconfigured() async throws {
        let loop = try EventLoop()
        let outcome = await registry(loop, []).call(Calls.request(), tokens: Calls.ignore)
        let failure = try #require(StreamFaultTests.failure(outcome))
        #expect(failure.kind == .notConfigured && !failure.wasSent && !failure.isRetryable)
        loop.stop()
    }

    @Test("a provider that keeps failing is not called any more")
    func breaker() async throws {
        let bench = try ProviderBench(.openai) { _ in [.response("500 Oops")] }
        let metrics = Metrics()
        let registry = registry(bench.loops[1], [bench.endpoint], metrics: metrics)
        let request = Calls.request(Calls.planned(provider: .openai))
        for _ in 0..<3 {
            #expect(StreamFaultTests.failure(await registry.call(request, tokens: Calls.ignore))?.kind == .server)
        }
        let refused = try #require(StreamFaultTests.failure(await registry.call(request, tokens: Calls.ignore)))
        #expect(refused.kind == .circuitOpen && !refused.wasSent)
        #expect((1...60_000).contains(refused.retryAfterMilliseconds ?? 0))
        #expect(bench.server.requests.count == 3)
        let text = metrics.render()
        #expect(text.contains(#"aragora_circuit_breaker_state{agent="openai",state="open"} 1"#))
        await registry.close()
        await bench.stop()
    }

    @Test("a key that was read again is sent from the next call on; a provider that had none waits for a restart")
    func keyReadAgain() async throws {
        let bench = try ProviderBench(.openai) { _ in [.response("400 Bad Request")] }
        func settings(_ values: [String: String]) -> ProviderSettings {
            var reader = SettingsReader(lookup: { values[$0] })
            return ProviderSettings(reading: &reader)
        }
        let url = ["OPENAI_BASE_URL": bench.endpoint.baseURL.text]
        let read = settings(url.merging(["OPENAI_API_KEY": "first-key"]) { $1 })
        let registry = ProviderRegistry(
            settings: read, loop: bench.loops[1], limits: ProviderLimits(maxInFlight: 1), metrics: Metrics(),
            log: .disabled)
        let request = Calls.request(Calls.planned(provider: .openai))
        _ = await registry.call(request, tokens: Calls.ignore)
        let fresh = settings(url.merging(["OPENAI_API_KEY": "second-key", "XAI_API_KEY": "third-key"]) { $1 })
        #expect(read.adopt(fresh) == ["XAI_API_KEY"])
        _ = await registry.call(request, tokens: Calls.ignore)
        #expect(
            bench.server.requests.map { $0.header("authorization") } == ["Bearer first-key", "Bearer second-key"])
        #expect(!read.isConfigured(.xai))
        await registry.close()
        await bench.stop()
    }

    @Test("a request that is itself wrong does not open the breaker")
    func badRequests() async throws {
        let bench = try ProviderBench(.openai) { _ in [.response("400 Bad Request")] }
        let registry = registry(bench.loops[1], [bench.endpoint])
        for _ in 0..<6 {
            let outcome = await registry.call(Calls.request(Calls.planned(provider: .openai)), tokens: Calls.ignore)
            #expect(StreamFaultTests.failure(outcome)?.kind == .badRequest)
        }
        await registry.close()
        await bench.stop()
    }

    @Test("no more calls than allowed are in flight; the others wait, and may be cancelled meanwhile")
    func inFlight() async throws {
        let bench = try ProviderBench(.openai) { _ in
            [.wait, .chunkedHead(), Wire.openAIText("x")] + Wire.openAIEnd()
        }
        let registry = registry(bench.loops[1], [bench.endpoint], maxInFlight: 2)
        let request = Calls.request(Calls.planned(provider: .openai))
        let calls = (0..<4).map { _ in Task { await registry.call(request, tokens: Calls.ignore) } }
        var arrived = 0
        var events = bench.server.events.makeAsyncIterator()
        while arrived < 2, let event = await events.next() { if event == "request" { arrived += 1 } }
        let cancelled = Task { await registry.call(request, tokens: Calls.ignore) }
        cancelled.cancel()
        #expect(StreamFaultTests.failure(await cancelled.value)?.kind == .cancelled)
        #expect(bench.server.requests.count == 2)
        while arrived < 4 {
            bench.server.release()
            if await events.next() == "request" { arrived += 1 }
        }
        bench.server.release()
        for call in calls { #expect(StreamFaultTests.answer(await call.value) != nil) }
        #expect(bench.server.connectionCount <= 2)
        await registry.close()
        await bench.stop()
    }
}

@Suite("Demonstration agents")
struct DemoTests {
    private func answer(_ call: PlannedCall, debate: DebateID = Calls.debate) async throws -> Answer {
        let loop = try EventLoop()
        defer { loop.stop() }
        let outcome = await DemoProvider(loop: loop).call(Calls.request(call, debate: debate), tokens: Calls.ignore)
        return try #require(StreamFaultTests.answer(outcome))
    }

    @Test("say the same for the same debate and call, and something else for another")
    func deterministic() async throws {
        let call = Calls.planned(agent: "demo-1", provider: .demo)
        let first = try await answer(call)
        #expect(try await answer(call) == first)
        #expect(first.content.contains("[demo]") && first.content.contains("Postgres"))
        #expect(first.usage.cost == .zero)
        #expect(try await answer(Calls.planned(agent: "demo-1", provider: .demo, round: 2)).content != first.content)
    }

    @Test("agree in most debates, dissent in some, and mostly want to go on")
    func votes() async throws {
        let names = ["demo-1", "demo-2", "demo-3"]
        let candidates = names.map { PlannedCall.Contribution(agent: $0, content: "p") }
        var (majorities, dissents, goOn, total) = (0, 0, 0, 0)
        for index in 0..<200 {
            let debate = DebateID(milliseconds: Int64(index), random: [UInt8](repeating: 1, count: 10))
            var choices: [String: Int] = [:]
            for name in names {
                let lines = try await answer(
                    Calls.planned(.vote, agent: name, provider: .demo, others: candidates), debate: debate
                ).content.split(separator: "\n")
                #expect(lines.count == 4 && lines[1].hasPrefix("CONFIDENCE: 0.") && lines[3].hasPrefix("REASONING: "))
                choices[String(lines[0].dropFirst("CHOICE: ".count)), default: 0] += 1
                goOn += lines[2] == "CONTINUE: yes" ? 1 : 0
                total += 1
            }
            #expect(Set(choices.keys).isSubset(of: Set(names)))
            if choices.values.contains(where: { $0 >= 2 }) { majorities += 1 }
            if choices.count > 1 { dissents += 1 }
        }
        #expect(majorities > 180)
        #expect((40...160).contains(dissents))
        #expect(Double(goOn) / Double(total) > 0.8)
    }

    @Test("with a latency the pieces add up to the answer, and cancelling ends it")
    func pieces() async throws {
        let loop = try EventLoop()
        let provider = DemoProvider(loop: loop, latency: .milliseconds(12))
        let seen = Lock([String]())
        let request = Calls.request(Calls.planned(agent: "demo-1", provider: .demo))
        let outcome = await provider.call(request) { text in seen.withLock { $0.append(text) } }
        #expect(seen.withLock { $0.count } > 5)
        #expect(seen.withLock { $0.joined() } == StreamFaultTests.answer(outcome)?.content)
        let slow = Task { await DemoProvider(loop: loop, latency: .seconds(3600)).call(request, tokens: Calls.ignore) }
        slow.cancel()
        #expect(StreamFaultTests.failure(await slow.value)?.kind == .cancelled)
        loop.stop()
    }
}

import Domain
import HTTPClient
import Messaging
import Platform
import Providers
import RedisClient
import Sockets
import TestSupport
import Testing

@Suite("Limits that processes share, and who stands in")
struct LimitsTests {
    /// One process: its limits, and a registry that calls `endpoint`.
    private func process(
        _ loop: EventLoop, _ endpoints: [ProviderEndpoint], maxInFlight: Int = 32, lease: Duration = PlaceKeeper.lease,
        metrics: Metrics = Metrics(), board: @escaping @Sendable () -> ProviderBoard? = { nil }
    ) -> (ProviderRegistry, ProviderLimits) {
        let limits = ProviderLimits(maxInFlight: maxInFlight, lease: lease, board: board)
        let settings = ProviderSettings(endpoints: endpoints, maxInFlight: maxInFlight)
        return (
            ProviderRegistry(settings: settings, loop: loop, limits: limits, metrics: metrics, log: .disabled), limits
        )
    }

    private func ask(_ registry: ProviderRegistry, on loop: EventLoop, _ attempt: Int) async -> CallOutcome {
        await Task(executorPreference: loop) {
            await registry.call(Calls.request(Calls.planned(provider: .openai), attempt: attempt), tokens: Calls.ignore)
        }.value
    }

    @Test("a breaker that opened in one process is open in another, and its gauge says so", .needsRedis)
    func sharedBreaker() async throws {
        let bench = try ProviderBench(.openai) { _ in [.response("500 Oops")] }
        try await TestRedis.use { loop, connection, prefix in
            let keys = Keyspace(prefix: prefix, generation: 1)
            let board: @Sendable () -> ProviderBoard? = { ProviderBoard(connection: connection, keyspace: keys) }
            let metrics = Metrics()
            let (one, _) = process(bench.loops[1], [bench.endpoint], board: board)
            let (two, limits) = process(bench.loops[1], [bench.endpoint], metrics: metrics, board: board)
            for attempt in 1...3 { _ = await ask(one, on: bench.loops[1], attempt) }
            #expect(limits.phase(of: .openai) == .closed, "it has not heard yet")
            let refused = try #require(StreamFaultTests.failure(await ask(two, on: bench.loops[1], 4)))
            #expect(refused.kind == .circuitOpen && !refused.wasSent)
            #expect((1...60_000).contains(refused.retryAfterMilliseconds ?? 0))
            #expect(limits.phase(of: .openai) == .open)
            #expect(metrics.render().contains(#"aragora_circuit_breaker_state{agent="openai",state="open"} 1"#))
            #expect(bench.server.requests.count == 3)
            await one.close()
            await two.close()
        }
        await bench.stop()
    }

    @Test("the cap holds for all processes together", .needsRedis)
    func sharedCap() async throws {
        let bench = try ProviderBench(.openai) { _ in [.wait, .chunkedHead(), Wire.openAIText("x")] + Wire.openAIEnd() }
        try await TestRedis.use { loop, connection, prefix in
            let keys = Keyspace(prefix: prefix, generation: 1)
            let board: @Sendable () -> ProviderBoard? = { ProviderBoard(connection: connection, keyspace: keys) }
            let (one, _) = process(bench.loops[1], [bench.endpoint], maxInFlight: 1, board: board)
            let (two, _) = process(bench.loops[1], [bench.endpoint], maxInFlight: 1, board: board)
            var events = bench.server.events.makeAsyncIterator()
            async let first = ask(one, on: bench.loops[1], 1)
            while await events.next() != "request" {}
            async let second = ask(two, on: bench.loops[1], 2)
            // The second asks Redis, is told that it is full, and keeps asking.
            var places = 0
            for _ in 0..<20 {
                places = max(
                    places, Int(try await connection.send(RedisCommand("ZCARD", keys.provider("openai"))).integer ?? 0))
            }
            #expect(places == 1 && bench.server.requests.count == 1)
            bench.server.release()
            #expect(StreamFaultTests.answer(await first) != nil)
            while await events.next() != "request" {}
            bench.server.release()
            #expect(StreamFaultTests.answer(await second) != nil)
            #expect(try await connection.send(RedisCommand("ZCARD", keys.provider("openai"))).integer == 0)
            await one.close()
            await two.close()
        }
        await bench.stop()
    }

    @Test(
        "a call keeps its place for as long as it takes; that of a process that died is free after a lease", .needsRedis
    )
    func leases() async throws {
        let bench = try ProviderBench(.openai) { _ in [.wait, .chunkedHead(), Wire.openAIText("x")] + Wire.openAIEnd() }
        try await TestRedis.use { loop, connection, prefix in
            let board = ProviderBoard(connection: connection, keyspace: Keyspace(prefix: prefix, generation: 1))
            let key = Keyspace(prefix: prefix, generation: 1).provider("openai")
            // A process that is no more has the only place.
            let rules = ProviderBoard.Rules(
                failures: 3, windowMilliseconds: 60_000, cooldownMilliseconds: 60_000, maxInFlight: 1,
                leaseMilliseconds: 500)
            #expect(await board.enter("openai", call: "dead", rules: rules) == .admitted(isProbe: false))
            let (process, _) = process(
                bench.loops[1], [bench.endpoint], maxInFlight: 1, lease: .milliseconds(500), board: { board })
            var events = bench.server.events.makeAsyncIterator()
            async let outcome = ask(process, on: bench.loops[1], 1)
            while await events.next() != "request" {}
            func place() async throws -> Int64 {
                let range = try await connection.send(RedisCommand("ZRANGE", key, "0", "-1", "WITHSCORES"))
                let texts = range.array?.compactMap(\.text) ?? []
                #expect(texts.count == 2 && texts.first != "dead", "\(texts)")
                return texts.last.flatMap { Int64($0) } ?? 0
            }
            // Three leases later it is still there, because it was renewed.
            let first = try await place()
            while try await place() < first + 1500 {}
            bench.server.release()
            #expect(StreamFaultTests.answer(await outcome) != nil)
            #expect(try await connection.send(RedisCommand("ZCARD", key)).integer == 0)
            await process.close()
        }
        await bench.stop()
    }

    @Test("a Retry-After of a long time is passed on without asking the provider again")
    func pause() async throws {
        let bench = try ProviderBench(.openai) { _ in [.response("429 Slow", headers: "Retry-After: 30\r\n")] }
        let (registry, _) = process(bench.loops[1], [bench.endpoint])
        _ = await ask(registry, on: bench.loops[1], 1)
        let refused = try #require(StreamFaultTests.failure(await ask(registry, on: bench.loops[1], 2)))
        #expect(refused.kind == .rateLimited && !refused.wasSent && !refused.isPaymentUnknown)
        #expect((25_000...30_000).contains(refused.retryAfterMilliseconds ?? 0))
        #expect(bench.server.requests.count == 1)
        await registry.close()
        await bench.stop()
    }

    @Test("without Redis each process goes by what it has seen, and no call waits")
    func withoutRedis() async throws {
        let bench = try ProviderBench(.openai) { _ in [.response("500 Oops")] }
        let connection = RedisConnection(
            loop: bench.loops[1], configuration: RedisConfiguration(host: "127.0.0.1", port: 1))
        let keys = Keyspace(generation: 1)
        let (registry, limits) = process(bench.loops[1], [bench.endpoint]) {
            ProviderBoard(connection: connection, keyspace: keys)
        }
        for attempt in 1...3 { _ = await ask(registry, on: bench.loops[1], attempt) }
        #expect(limits.phase(of: .openai) == .open)
        #expect(StreamFaultTests.failure(await ask(registry, on: bench.loops[1], 4))?.kind == .circuitOpen)
        await registry.close()
        await bench.stop()
    }

    @Test("an empty account is answered for by OpenRouter: the answer names it, its model, and its price")
    func fallback() async throws {
        let bench = try ProviderBench(.openrouter) { request in
            request.head.hasPrefix("POST /v1/messages ")
                ? [
                    .response(
                        "400 Bad Request",
                        body:
                            #"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#
                    )
                ]
                : [.chunkedHead(), Wire.openAIText("Use Postgres.")] + Wire.openAIEnd()
        }
        let own = ProviderEndpoint(
            provider: .anthropic, baseURL: bench.endpoint.baseURL, key: Secret("sk-a"), model: "claude-sonnet-4-5")
        let (registry, _) = process(bench.loops[1], [own, bench.endpoint])
        let call = Calls.planned()
        let failure = try #require(
            StreamFaultTests.failure(await registry.call(Calls.request(call), tokens: Calls.ignore)))
        let standIn = registry.settings.fallback(for: call.agent)
        let verdict = RetryPolicy().verdict(on: failure, failures: 1, jitter: 0, standIn: standIn != nil)
        #expect(failure.kind == .quota && verdict == .fallBack)
        let again = PlannedCall(
            key: call.key, agent: try #require(standIn), phase: call.phase, round: 1, totalRounds: 3,
            material: call.material)
        let answer = try #require(
            StreamFaultTests.answer(await registry.call(Calls.request(again, attempt: 2), tokens: Calls.ignore)))
        #expect(answer.provider == .openrouter && answer.model == "anthropic/claude-sonnet-4.5")
        #expect(
            answer.usage.cost
                == PriceBook.cost(provider: .openrouter, model: answer.model, usage: answer.usage))
        let sent = try #require(bench.server.requests.last)
        #expect(String(decoding: sent.body, as: UTF8.self).contains(#""model":"anthropic/claude-sonnet-4.5""#))
        #expect(sent.header("authorization") == "Bearer \(ProviderBench.secret)", "with its own key, not the other's")
        await registry.close()
        await bench.stop()
    }

    @Test("an answer of a model without a price says that its price is assumed")
    func assumed() async throws {
        let bench = try ProviderBench(.openai) { _ in [.chunkedHead(), Wire.openAIText("x")] + Wire.openAIEnd() }
        let answer = try #require(StreamFaultTests.answer(await bench.call()))
        #expect(answer.usage.isPriceAssumed && answer.usage.cost > .zero)
        await bench.stop()
    }
}

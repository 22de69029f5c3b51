import Domain
import Glibc
import Platform
import Providers
import Sockets

/// Calls through our provider client to the provider simulator, which answers at once: all that is measured is added.
struct ProviderCalls: Benchmark {
    static let name = "provider"
    static let about = "provider client against the provider simulator, both APIs, streamed over real sockets"

    private static let answerWords = 20
    /// Calls a second that the latency aim is meant for, and who makes them.
    private static let steadyRate = 200.0
    private static let manyCallers = 32

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        let folder = try ScratchFolder.make()
        let port = try Ports.free()
        let scenario = "\(folder)/scenario.json"
        guard TextFile.write(Array("{\"answer_words\":\(Self.answerWords)}".utf8), to: scenario) else {
            throw BenchFailure("no file")
        }
        let simulator = try Child(
            "provider-simulator", bench.stores.executable("provider-simulator"),
            ["--port", String(port), "--scenario", scenario], folder: folder)
        let registry = try Self.registry(port, bench.clientLoops[0])
        try await waitForSimulator(simulator, registry, bench)
        var figures: [Figure] = []
        for provider in [ProviderKey.anthropic, .openai] {
            figures += try await steady(provider, registry, bench)
            figures += try await many(provider, registry, simulator, bench)
        }
        figures.append(
            Figure("memory of the calling process", ProcessSample.residentBytes(of: getpid()) / 1_048_576, "MB").with {
                $0.aim = .atMost(64)
                $0.note = "the runner itself, after all calls"
            })
        await registry.close()
        await simulator.stop(on: bench.loop)
        await ScratchFolder.remove(folder)
        return figures
    }

    // MARK: What is called

    private static func registry(_ port: UInt16, _ loop: EventLoop) throws -> ProviderRegistry {
        guard let url = BaseURL("http://127.0.0.1:\(port)") else { throw BenchFailure("no address") }
        let endpoints = [ProviderKey.anthropic, .openai].map {
            ProviderEndpoint(
                provider: $0, baseURL: url, key: Secret("bench"), model: "bench", deadlines: CallDeadlines())
        }
        return ProviderRegistry(
            settings: ProviderSettings(endpoints: endpoints, maxInFlight: 64), loop: loop,
            limits: ProviderLimits(maxInFlight: 64), metrics: Metrics(), log: .disabled)
    }

    private func waitForSimulator(_ simulator: Child, _ registry: ProviderRegistry, _ bench: Bench) async throws {
        for _ in 0..<200 {
            guard !simulator.hasEnded() else { break }
            if case .answered = await Self.call(.openai, 0, registry, bench.clientLoops[0]) { return }
            try await bench.loop.sleep(for: .milliseconds(20))
        }
        throw BenchFailure("the simulator does not answer: \(simulator.logTail)")
    }

    private static func call(
        _ provider: ProviderKey, _ number: Int, _ registry: ProviderRegistry, _ loop: EventLoop
    ) async -> CallOutcome {
        let debate = DebateID(milliseconds: 1_790_000_000_000, random: [UInt8](repeating: 7, count: 10))
        let agent = AgentSpec(name: "\(provider.rawValue)-1", provider: provider, model: "bench")
        let material = PlannedCall.Material(
            topic: "Should a three-person startup use Postgres or MongoDB?", context: nil, remarks: [], own: nil,
            others: [])
        let call = PlannedCall(
            key: CallKey("r1/propose/\(provider.rawValue)-\(number)"), agent: agent, phase: .propose, round: 1,
            totalRounds: 3,
            material: material)
        let request = CallRequest(debate: debate, call: call, attempt: 1, epoch: 1)
        return await Task(executorPreference: loop) { await registry.call(request) { _ in } }.value
    }

    // MARK: Rounds

    private func steady(_ provider: ProviderKey, _ registry: ProviderRegistry, _ bench: Bench) async throws -> [Figure]
    {
        let loop = bench.clientLoops[0]
        let rounds = try await bench.alternate([
            {
                let result = try await OpenLoop.run(
                    perSecond: Self.steadyRate, seconds: bench.options.seconds(5), on: [loop]
                ) { _ in
                    guard case .answered = await Self.call(provider, Int.random(in: 0..<1_000_000_000), registry, loop)
                    else {
                        throw BenchFailure("a call failed")
                    }
                }
                if let failure = result.failures.first { throw BenchFailure(failure) }
                return result.latencies
            }
        ])[0]
        let all = rounds.flatMap { $0 }
        return [
            Figure("\(provider.rawValue) call p50 at 200/s", all.percentile(50), "ms").with {
                $0.aim = .atMost(0.5)
                $0.rounds = rounds.map(\.median)
            },
            Figure("\(provider.rawValue) call p99 at 200/s", all.percentile(99), "ms").with {
                $0.aim = .atMost(3)
                $0.rounds = rounds.map { $0.percentile(99) }
                $0.note = "whole calls of \(Self.answerWords) streamed words; the simulator's own time is in it"
            },
        ]
    }

    private func many(
        _ provider: ProviderKey, _ registry: ProviderRegistry, _ simulator: Child, _ bench: Bench
    ) async throws -> [Figure] {
        let rounds = try await bench.alternate([{ try await closed(provider, registry, simulator, bench) }])[0]
        return [
            Figure("\(provider.rawValue) calls, \(Self.manyCallers) callers", medianOf: rounds.map(\.rate), "1/s").with
            {
                $0.aim = .atLeast(3000)
            },
            Figure("CPU per \(provider.rawValue) call, client", medianOf: rounds.map(\.client), "µs"),
            Figure("CPU per \(provider.rawValue) call, simulator", medianOf: rounds.map(\.simulator), "µs"),
        ]
    }

    private func closed(
        _ provider: ProviderKey, _ registry: ProviderRegistry, _ simulator: Child, _ bench: Bench
    ) async throws -> (rate: Double, client: Double, simulator: Double) {
        let loop = bench.clientLoops[0]
        let before = (ProcessSample.cpu(of: getpid()), ProcessSample.cpu(of: simulator.pid))
        let began = MonotonicTime.now()
        let end = began + Int64(bench.options.seconds(4) * 1e9)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<Self.manyCallers {
                group.addTask(executorPreference: loop) {
                    var done = 0
                    while MonotonicTime.now() < end {
                        let number = Int(MonotonicTime.now() % 1_000_000_000) * 100 + caller
                        guard case .answered = await Self.call(provider, number, registry, loop) else {
                            throw BenchFailure("a call failed")
                        }
                        done += 1
                    }
                    return done
                }
            }
            return Double(try await group.reduce(0, +))
        }
        return (
            count / (Double(MonotonicTime.now() - began) / 1e9),
            (ProcessSample.cpu(of: getpid()) - before.0) / count * 1e6,
            (ProcessSample.cpu(of: simulator.pid) - before.1) / count * 1e6
        )
    }
}

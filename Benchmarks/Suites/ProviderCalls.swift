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

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        let folder = try ScratchFolder.make()
        let simulator = try SimulatedProvider(
            words: Self.answerWords, name: "provider-simulator", folder: folder, bench)
        var figures: [Figure] = []
        for provider in [ProviderKey.anthropic, .openai] {
            let load = try ProviderLoad(provider, port: simulator.port, on: bench.clientLoops[0])
            try await load.ready(simulator.child, within: .seconds(10), bench)
            figures += try await steady(load, bench)
            figures += try await many(load, simulator.child, bench)
            await load.registry.close()
        }
        figures.append(
            Figure("memory of the calling process", ProcessSample.residentBytes(of: getpid()) / 1_048_576, "MB").with {
                $0.aim = .atMost(64)
                $0.note = "the runner itself, after all calls"
            })
        await simulator.child.stop(on: bench.loop)
        await ScratchFolder.remove(folder)
        return figures
    }

    private func steady(_ load: ProviderLoad, _ bench: Bench) async throws -> [Figure] {
        let rounds = try await bench.alternate([{ try await load.steady(bench) }])[0]
        let all = rounds.flatMap { $0 }
        return [
            Figure("\(load.provider.rawValue) call p50 at 200/s", all.percentile(50), "ms").with {
                $0.aim = .atMost(0.5)
                $0.rounds = rounds.map(\.median)
            },
            Figure("\(load.provider.rawValue) call p99 at 200/s", all.percentile(99), "ms").with {
                $0.aim = .atMost(3)
                $0.rounds = rounds.map { $0.percentile(99) }
                $0.note = "whole calls of \(Self.answerWords) streamed words; the simulator's own time is in it"
            },
        ]
    }

    private func many(_ load: ProviderLoad, _ simulator: Child, _ bench: Bench) async throws -> [Figure] {
        let rounds = try await bench.alternate([{ try await load.many([simulator], bench) }])[0]
        let name = load.provider.rawValue
        return [
            Figure("\(name) calls, \(ProviderLoad.manyCallers) callers", medianOf: rounds.map(\.rate), "1/s").with {
                $0.aim = .atLeast(3000)
            },
            Figure("CPU per \(name) call, client", medianOf: rounds.map { $0.client * 1e6 }, "µs"),
            Figure("CPU per \(name) call, simulator", medianOf: rounds.map { $0.servers[0] * 1e6 }, "µs"),
        ]
    }
}

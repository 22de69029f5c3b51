import Domain
import Glibc
import Platform
import Providers
import Sockets

/// Our provider client beside the LiteLLM proxy, in front of the same simulator.
///
/// What calls is the same in both: our client, straight to the simulator, or to the proxy and from there to the simulator. So
/// the proxy's time is what a call takes through it, less what it takes without; ours is the whole call, the simulator's own
/// time in it, which flatters the proxy.
struct ProviderProxy: Benchmark {
    static let name = "litellm"
    static let about = "provider client beside the LiteLLM proxy, on the same simulator (chat completions, streamed)"

    /// Pieces of text of a reply; the simulator begins every reply with four. The run of many asks for replies of four, and has one
    /// more.
    private static let steadyChunks = 8
    private static let manyChunks = 5
    private static let preamble = 4
    /// It imports a great deal before it listens.
    private static let startLimit = Duration.seconds(240)

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        guard let binary = getenv("BENCH_LITELLM").map({ String(cString: $0) }) else {
            throw Skipped("no LiteLLM; scripts/bench.sh installs it when this benchmark is chosen")
        }
        let folder = try ScratchFolder.make()
        var figures: [Figure] = []
        for (chunks, measure) in [(Self.steadyChunks, steady), (Self.manyChunks, many)] {
            let simulator = try SimulatedProvider(
                words: chunks - Self.preamble, name: "provider-simulator-\(chunks)", folder: folder, bench)
            let ours = try ProviderLoad(.openai, port: simulator.port, on: bench.clientLoops[0])
            try await ours.ready(simulator.child, within: .seconds(10), bench)
            let (proxy, port) = try start(binary, before: simulator.port, folder, bench)
            let theirs = try ProviderLoad(.openai, port: port, on: bench.clientLoops[0])
            try await theirs.ready(proxy, within: Self.startLimit, bench)
            figures += try await measure(ours, theirs, simulator.child, proxy, bench)
            await ours.registry.close()
            await theirs.registry.close()
            await proxy.stop(on: bench.loop)
            await simulator.child.stop(on: bench.loop)
        }
        await ScratchFolder.remove(folder)
        return figures
    }

    private func start(
        _ binary: String, before simulator: UInt16, _ folder: String, _ bench: Bench
    ) throws -> (Child, UInt16) {
        let port = try Ports.free()
        let settings = "\(folder)/litellm-\(port).yaml"
        let text = """
            model_list:
              - model_name: bench
                litellm_params: {model: openai/bench, api_base: "http://127.0.0.1:\(simulator)", api_key: bench}
            general_settings: {master_key: "\(ProviderLoad.key)"}
            litellm_settings: {drop_params: true, telemetry: false, num_retries: 0}

            """
        guard TextFile.write(Array(text.utf8), to: settings) else { throw BenchFailure("no file") }
        let child = try Child(
            "litellm", binary,
            ["--config", settings, "--host", "127.0.0.1", "--port", String(port), "--num_workers", "1"],
            environment: [
                "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_TELEMETRY": "False",
            ],
            folder: folder)
        return (child, port)
    }

    private func steady(
        _ ours: ProviderLoad, _ theirs: ProviderLoad, _ simulator: Child, _ proxy: Child, _ bench: Bench
    ) async throws -> [Figure] {
        let rounds = try await bench.alternate([{ try await ours.steady(bench) }, { try await theirs.steady(bench) }])
        let all = rounds.map { $0.flatMap { $0 } }
        return [(50.0, 0.5), (99.0, 3.0)].map { percent, most in
            let (own, through) = (all[0].percentile(percent), all[1].percentile(percent))
            return Figure("call p\(Int(percent)) at 200/s, \(Self.steadyChunks) pieces", own, "ms").with {
                $0.aim = .atMost(most)
                $0.rival = .init(name: "LiteLLM adds", value: through - own)
                $0.rounds = rounds[0].map { $0.percentile(percent) }
                $0.note = "ours: the whole call, the simulator's own time in it"
            }
        }
    }

    private func many(
        _ ours: ProviderLoad, _ theirs: ProviderLoad, _ simulator: Child, _ proxy: Child, _ bench: Bench
    ) async throws -> [Figure] {
        let rounds = try await bench.alternate([
            { try await ours.many([simulator], bench) }, { try await theirs.many([simulator, proxy], bench) },
        ])
        let through = rounds[1].map(\.rate).median
        let name = "calls, \(ProviderLoad.manyCallers) callers, \(Self.manyChunks) pieces"
        return [
            Figure(name, medianOf: rounds[0].map(\.rate), "1/s").with { $0.aim = .atLeast(3000) },
            Figure("\(name), beside LiteLLM", medianOf: rounds[0].map(\.rate), "1/s").with {
                $0.rival = .init(name: "LiteLLM", value: through)
                $0.aim = .ratioAtLeast(5)
            },
            Figure("CPU per call", medianOf: rounds[0].map { $0.client * 1e6 }, "µs").with {
                $0.rival = .init(name: "LiteLLM", value: rounds[1].map { $0.servers[1] * 1e6 }.median)
                $0.note = "ours: the whole runner; LiteLLM: the proxy alone"
            },
            Figure("memory", ProcessSample.residentBytes(of: getpid()) / 1_048_576, "MB").with {
                $0.rival = .init(name: "LiteLLM", value: ProcessSample.residentBytes(of: proxy.pid) / 1_048_576)
                $0.aim = .atMost(64)
                $0.note = "ours: the runner itself, after all calls"
            },
        ]
    }
}

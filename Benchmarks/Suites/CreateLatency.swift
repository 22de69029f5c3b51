import Sockets

/// `POST /api/v1/debates` at 200 a second: each answer stands for a durable commit.
struct CreateLatency: Benchmark {
    static let name = "create"
    static let about = "latency of POST /api/v1/debates, open loop, durable"

    private static let rate = 200.0

    init() {}

    func measure(_ bench: Bench) async throws -> [Figure] {
        try await BenchServices.with(bench) { services in
            let fsync = try await bench.stores.measureFsync()
            let (api, port) = try await services.startAPI(["ARAGORA_EVENT_LOOPS": "2"])
            let clients = bench.clientLoops.map { DebateClient(loop: $0, apiPort: port) }
            let rounds = try await bench.alternate([{ try await round(api, clients, bench) }])[0]
            for client in clients { await client.close() }
            await api.stop(on: bench.loop)
            let all = rounds.flatMap(\.latencies)
            return [
                Figure("create p50", all.percentile(50), "ms").with { $0.fsyncsPerSecond = fsync },
                Figure("create p95", all.percentile(95), "ms").with {
                    $0.aim = .atMost(20)
                    $0.fsyncsPerSecond = fsync
                    $0.rounds = rounds.map { $0.latencies.percentile(95) }
                    $0.note = "\(all.count) creates at \(Self.rate)/s, from when each was due"
                },
                Figure("create p99", all.percentile(99), "ms").with { $0.fsyncsPerSecond = fsync },
                Figure("CPU per create, api", medianOf: rounds.map(\.api), "µs"),
                Figure("CPU per create, Postgres", medianOf: rounds.map(\.postgres), "µs"),
            ]
        }
    }

    private func round(
        _ api: Service, _ clients: [DebateClient], _ bench: Bench
    ) async throws -> (latencies: [Double], api: Double, postgres: Double) {
        let before = (ProcessSample.cpu(of: api.child.pid), ProcessSample.cpuWithChildren(of: bench.stores.postgresPID))
        let result = try await OpenLoop.run(
            perSecond: Self.rate, seconds: bench.options.seconds(10), on: bench.clientLoops
        ) { index in
            _ = try await clients[index].create()
        }
        if let failure = result.failures.first {
            throw BenchFailure("\(result.failures.count) creates failed: \(failure)")
        }
        let count = Double(result.latencies.count)
        return (
            result.latencies, (ProcessSample.cpu(of: api.child.pid) - before.0) / count * 1e6,
            (ProcessSample.cpuWithChildren(of: bench.stores.postgresPID) - before.1) / count * 1e6
        )
    }
}
